/* SPDX-License-Identifier: MIT */
/* The numbers that mumd counts since its start. Others count them and show them. */
#ifndef MUM_COUNTS_H
#define MUM_COUNTS_H

#include <stddef.h>
#include <stdint.h>

#include "postfix-policy/protocol/action.h"

enum check { CHECK_RECIPIENT, CHECK_SENDER, CHECK_SEND, CHECK_QUOTA, CHECKS };

/* What a check of the policy service does to the mail. */
enum outcome {
	OUTCOME_DUNNO,		/* nothing */
	OUTCOME_REJECT,
	OUTCOME_WOULD_REJECT,	/* if the check were not at "warn" */
	OUTCOME_DEFER,
	OUTCOME_WOULD_DEFER,
	OUTCOME_HOLD,		/* Postfix keeps it, and sends nothing */
	OUTCOMES
};

/* How often each check had each outcome, by reason. */
struct decision_counts {
	uint64_t checks[CHECKS][OUTCOMES][REASONS];
	uint64_t unchecked;	/* requests that need no check */
};

/* The recipients that the limits of logins have judged, by result. */
enum send_result {
	SEND_TAKEN,
	SEND_OVER,	/* over the limit: refused, held, or with "warn" only logged */
	SEND_EXEMPT,
	SEND_RESULTS
};

struct send_counts {
	uint64_t recipients[SEND_RESULTS];
	uint64_t peeks, takes;		/* requests with a login at RCPT, and at DATA */
};

struct client_counts {
	size_t now, max;	/* connected, and the limit */
	uint64_t accepted;
	uint64_t evicted;	/* closed while idle, to make room */
	uint64_t refused;	/* closed at once: no room, and nobody idle */
	uint64_t bad;		/* closed for a malformed request, or for being too slow */
};

#endif
