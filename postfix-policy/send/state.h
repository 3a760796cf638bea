/* SPDX-License-Identifier: MIT */
/*
 * The counts of the send limits while they are on: kept over reload and restart
 * (policy.send_state), shown on policy.send_socket. An error of the file or the socket is
 * logged, and the limits still work.
 */
#ifndef MUM_SEND_STATE_H
#define MUM_SEND_STATE_H

#include "postfix-policy/listen-socket.h"
#include "postfix-policy/session.h"

struct send_state;

/* Nothing is on yet. The service outlives it. */
struct send_state *send_state_new(struct service *service);
/*
 * While mumd is still root, if it was started so: makes the directories and the socket,
 * and gives them to owner->uid. Nobody else gets in, so mode and group do not count.
 */
void send_state_prepare(struct send_state *state, const struct socket_owner *owner);
/*
 * At the start and after a reload, as the user that mumd runs as: sets service->send, or
 * NULL, as the configuration of service->core says.
 */
void send_state_update(struct send_state *state);
/* Fills now->senders. */
void send_state_show(const struct send_state *state, struct metrics_now *now);
/* Writes the state; blocks. Before service->core goes. Sets NULL; NULL is fine. */
void send_state_free(struct send_state **state);

#endif
