/* SPDX-License-Identifier: MIT */
/*
 * HTTP for those who watch mumd: /metrics, /healthz (the process answers) and /readyz
 * (the database answers, or the cache does in its place). It takes GET and HEAD from a
 * few clients at a time, for a few seconds each, so that they do not delay Postfix.
 *
 * It is libevent's own evhttp: that is there already, in the loop of all else and without a
 * thread. libmicrohttpd would be one more library, for three pages.
 */
#ifndef MUM_METRICS_SERVER_H
#define MUM_METRICS_SERVER_H

#include <event2/event.h>

#include "postfix-policy/listen-socket.h"
#include "postfix-policy/session.h"

struct metrics_server;

/* Appends the page of /metrics. */
typedef void metrics_page_fn(struct buf *out, void *arg);

/* Takes over the socket, even if it fails: then NULL with errno. */
struct metrics_server *metrics_server_new(struct event_base *base, struct service *service,
					  struct listen_socket *sock, metrics_page_fn *page,
					  void *arg);
/* From now on /readyz says that mumd is not ready. */
void metrics_server_stopping(struct metrics_server *server);
/* Call this before service->core is freed. Sets NULL; NULL is fine. */
void metrics_server_free(struct metrics_server **server);

#endif
