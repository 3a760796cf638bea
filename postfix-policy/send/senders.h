/* SPDX-License-Identifier: MIT */
/*
 * The limits of logins as a service: policy.send turns it on and off, a reload keeps the
 * counts, and so does a restart, by policy.send_state. It also has the socket of mumctl
 * senders. An error of the file or the socket is logged, and the limits still work.
 */
#ifndef MUM_SENDERS_H
#define MUM_SENDERS_H

#include "postfix-policy/listen-socket.h"
#include "postfix-policy/session.h"

struct senders;

/* Nothing is on yet. The service outlives it. */
struct senders *senders_new(struct service *service);
/*
 * While mumd is still root, if it was started so: makes the directories and the socket,
 * and gives them to owner->uid. Nobody else gets in, so mode and group do not count.
 */
void senders_prepare(struct senders *senders, const struct socket_owner *owner);
/*
 * At the start and after a reload, as the user that mumd runs as: sets service->send, or
 * NULL, as the configuration of service->core says.
 */
void senders_update(struct senders *senders);
/* Fills now->senders. */
void senders_show(const struct senders *senders, struct metrics_now *now);
/* Writes the state; blocks. Before service->core goes. Sets NULL; NULL is fine. */
void senders_free(struct senders **senders);

#endif
