/* SPDX-License-Identifier: MIT */
/*
 * All that mumd listens on. Each service (socketmap, policy, metrics) gets the sockets
 * that a service manager handed over; if there are none, those of mum.conf.
 */
#ifndef MUM_LISTENERS_H
#define MUM_LISTENERS_H

#include "postfix-policy/listener.h"
#include "postfix-policy/metrics-server.h"

struct listeners;

/* NULL when one socket cannot be opened; the log says why. page: see metrics-server.h. */
struct listeners *listeners_open(struct event_base *base, struct service *service,
				 const struct socket_owner *owner, metrics_page_fn *page,
				 void *arg);
/* Accepts no new clients for Postfix's services; /readyz then says so. */
void listeners_stop(struct listeners *listeners);
/* Call this before service->core is freed. Sets NULL; NULL is fine. */
void listeners_close(struct listeners **listeners);

#endif
