/* SPDX-License-Identifier: MIT */
/*
 * All that mumd listens on. Of each service, socketmap, policy and metrics: the
 * sockets that a service manager handed over, or where there are none those of
 * mum.conf.
 */
#ifndef MUM_LISTENERS_H
#define MUM_LISTENERS_H

#include "postfix-policy/listener.h"
#include "postfix-policy/metrics-server.h"

struct listeners;

/* NULL when one of them cannot be had; the log says why. page: see metrics-server.h. */
struct listeners *listeners_open(struct event_base *base, struct service *service,
				 const struct socket_owner *owner, metrics_page_fn *page,
				 void *arg);
/* No new clients for Postfix's services, and /readyz says so. */
void listeners_stop(struct listeners *listeners);
/* Before service->core goes. Sets NULL; NULL is fine. */
void listeners_close(struct listeners **listeners);

#endif
