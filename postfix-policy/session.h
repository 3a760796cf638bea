/* SPDX-License-Identifier: MIT */
/* What a client's requests lead to: lookups in the core, and replies. */
#ifndef MUM_SESSION_H
#define MUM_SESSION_H

#include "common/core.h"
#include "postfix-policy/client.h"
#include "postfix-policy/protocol/metrics.h"
#include "postfix-policy/quota/client.h"

struct sandbox;
struct send;

/* What all sessions share. */
struct service {
	const struct mum_host *host;
	struct mum_core *core;		/* the current one; a reload swaps it */
	struct clients *clients;
	struct metrics *metrics;
	struct send *send;		/* NULL: policy.send is off */
	struct quota_client *quota;	/* a reload gives it other settings */
	struct sandbox *sandbox;	/* NULL: the process is not locked in */
};

/*
 * Starts a session on an accepted, non-blocking descriptor, which the session then owns.
 */
typedef void session_start_fn(struct service *service, int fd);

session_start_fn socketmap_session_start;
session_start_fn policy_session_start;

#endif
