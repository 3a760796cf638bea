/* SPDX-License-Identifier: MIT */
/* The limits of logins as a service: on and off with policy.send, over a reload. */
#ifndef MUM_SENDERS_H
#define MUM_SENDERS_H

#include "postfix-policy/session.h"

struct senders;

/* Sets service->send if policy.send of service->core says so. The service outlives it. */
struct senders *senders_new(struct service *service);
/* After a reload: service->core has another configuration. */
void senders_reload(struct senders *senders);
/* Before service->core goes. Sets NULL; NULL is fine. */
void senders_free(struct senders **senders);

#endif
