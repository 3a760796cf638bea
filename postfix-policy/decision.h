/* SPDX-License-Identifier: MIT */
/*
 * One policy request on its way to an action. Its checks run one after the other until
 * one objects. Each check judges every reading that Postfix may make of the address
 * (common/readings.h). Both mumd's clients and mumctl use this.
 */
#ifndef MUM_DECISION_H
#define MUM_DECISION_H

#include "common/core.h"
#include "postfix-policy/protocol/counts.h"
#include "postfix-policy/protocol/policy.h"
#include "postfix-policy/quota/client.h"

struct decision;

/* action: as in access(5), gone when the callback returns. */
typedef void decision_fn(const char *action, void *arg);

/*
 * Tells why a decision was made. on_reading runs for each reading of the address when its
 * answer is there; at: its place in the order in which Postfix comes to them. Then on_judged
 * runs with the number of readings that count.
 */
struct decision_watch {
	void (*on_reading)(size_t at, const char *text, const struct mum_answer *answer, void *arg);
	void (*on_judged)(size_t count, void *arg);
	void *arg;
};

/*
 * Who decides. All of it outlives the decision, the core only as long as it has lookups in
 * flight.
 */
struct decider {
	const struct mum_host *host;
	struct mum_core *core;
	struct quota_client *quota;		/* NULL: there is no such service */
	struct decision_counts *counts;		/* of all checks; NULL: nobody counts */
	const struct decision_watch *watch;	/* NULL: nobody wants to know why */
};

/*
 * Copies what it needs of the decider and the request. fn runs once. If all answers are
 * there, it runs inside this call, which then returns NULL. The handle is gone when fn is
 * called. Refusals are logged, also those that "warn" lets pass.
 */
struct decision *decision_start(const struct decider *decider,
				const struct policy_request *request, decision_fn *fn,
				void *arg);

/* fn never runs. Sets NULL; NULL inside is fine. */
void decision_cancel(struct decision **decision);

#endif
