/* SPDX-License-Identifier: MIT */
/*
 * One policy request on its way to an action: the checks that it calls for, one
 * after the other, until one objects. Each judges every reading that Postfix may make
 * of the address (common/readings.h). The same for mumd's clients and mumctl.
 */
#ifndef MUM_DECISION_H
#define MUM_DECISION_H

#include "common/core.h"
#include "postfix-policy/counts.h"
#include "postfix-policy/policy.h"

struct decision;

/* action: as in access(5), gone when the callback returns. */
typedef void decision_fn(const char *action, void *arg);

/*
 * Copies what it needs of the request. fn runs once; from inside this call,
 * which then returns NULL, when there is nothing to ask. The handle is gone
 * when fn is called. Refusals, and those that "warn" let pass, are logged; counts,
 * unless NULL, gets one more for each check. All but the request outlive the
 * decision.
 */
struct decision *decision_start(const struct mum_host *host, struct mum_core *core,
				struct decision_counts *counts,
				const struct policy_request *request, decision_fn *fn,
				void *arg);
/* fn never runs. Sets NULL; NULL inside is fine. */
void decision_cancel(struct decision **decision);

#endif
