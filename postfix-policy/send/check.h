/* SPDX-License-Identifier: MIT */
/*
 * How many recipients a login may send to. At RCPT a login that has none left is refused. At
 * DATA all accepted recipients count, and refused ones do not. It asks no other service, so
 * it always has an answer at once.
 */
#ifndef MUM_SEND_CHECK_H
#define MUM_SEND_CHECK_H

#include "common/config.h"
#include "common/host.h"
#include "postfix-policy/protocol/counts.h"
#include "postfix-policy/protocol/policy.h"
#include "postfix-policy/send/table.h"

struct send;

/* Adds to both counts, which outlive it like the host. policy.send is not "off". */
struct send *send_new(const struct mum_host *host, const struct mum_config *config,
		      struct decision_counts *decisions, struct send_counts *counts);
void send_free(struct send **send);	/* sets NULL; NULL is fine */
/* After a reload. What was sent still counts. */
void send_configure(struct send *send, const struct mum_config *config);

/*
 * The answer to Postfix, static text. NULL when the limit does not object and other checks
 * may follow.
 */
const char *send_check(struct send *send, const struct policy_request *request);

/* Owned by send; it may still hold entries that a sweep would drop. */
struct send_table *send_table_of(struct send *send);
/* Has the table changed since the last call? */
bool send_has_changed(struct send *send);

#endif
