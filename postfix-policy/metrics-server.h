/* SPDX-License-Identifier: MIT */
/*
 * HTTP for those who watch mumd: /metrics, /healthz (the process answers) and
 * /readyz (so does the database, or the cache in its place). Takes GET and HEAD, a
 * few clients at a time and each for a few seconds; they cost Postfix nothing.
 */
#ifndef MUM_METRICS_SERVER_H
#define MUM_METRICS_SERVER_H

#include <event2/event.h>

#include "postfix-policy/listen-socket.h"
#include "postfix-policy/session.h"

struct metrics_server;

/* Appends the page of /metrics. */
typedef void metrics_page_fn(struct buf *out, void *arg);

/* Takes over the socket, also when it fails: NULL with errno. */
struct metrics_server *metrics_server_new(struct event_base *base, struct service *service,
					  struct listen_socket *sock, metrics_page_fn *page,
					  void *arg);
/* From now on it is not ready. */
void metrics_server_stopping(struct metrics_server *server);
/* Before service->core goes. Sets NULL; NULL is fine. */
void metrics_server_free(struct metrics_server **server);

#endif
