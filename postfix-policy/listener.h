/* SPDX-License-Identifier: MIT */
/* Listening sockets: unix:PATH and inet:HOST:PORT. */
#ifndef MUM_LISTENER_H
#define MUM_LISTENER_H

#include <event2/event.h>
#include <sys/types.h>

#include "postfix-policy/session.h"

struct listener;

/* Owner and mode of unix sockets, and of their directory where we make it. */
struct listener_owner {
	uid_t uid;		/* (uid_t)-1: leave as it is */
	gid_t gid;		/* (gid_t)-1: leave as it is */
	mode_t mode;
};

/*
 * Binds and listens; each accepted descriptor goes to start(). A socket file
 * that nobody answers on is replaced. NULL with *error_r (caller frees).
 */
struct listener *listener_open(struct event_base *base, struct service *service,
			       const char *entry, const struct listener_owner *owner,
			       session_start_fn *start, char **error_r);
/* Stops listening; removes the socket file that it made. Sets NULL; NULL is fine. */
void listener_close(struct listener **listener);

#endif
