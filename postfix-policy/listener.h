/* SPDX-License-Identifier: MIT */
/* Listens on a socket and starts a session for each client. */
#ifndef MUM_LISTENER_H
#define MUM_LISTENER_H

#include <event2/event.h>

#include "postfix-policy/listen-socket.h"
#include "postfix-policy/session.h"

struct listener;

/*
 * Takes over the socket, even if it fails: then NULL with errno. Each accepted
 * descriptor goes to start().
 */
struct listener *listener_open(struct event_base *base, struct service *service,
			       struct listen_socket *sock, session_start_fn *start);
/* Stops listening and closes the socket. Sets NULL; NULL is fine. */
void listener_close(struct listener **listener);

#endif
