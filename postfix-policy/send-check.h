/* SPDX-License-Identifier: MIT */
/*
 * How many recipients a login may send to. At RCPT a login without any left is refused; at
 * DATA all accepted recipients count, so those that were refused do not. Asks nobody, so it
 * is never in doubt and never late.
 */
#ifndef MUM_SEND_CHECK_H
#define MUM_SEND_CHECK_H

#include "common/config.h"
#include "common/host.h"
#include "postfix-policy/counts.h"
#include "postfix-policy/policy.h"
#include "postfix-policy/send-table.h"

struct send;

/* Both counts are added to; they and the host outlive it. policy.send is not "off". */
struct send *send_new(const struct mum_host *host, const struct mum_config *config,
		      struct decision_counts *decisions, struct send_counts *counts);
void send_free(struct send **send);	/* sets NULL; NULL is fine */
/* After a reload. What was sent still counts. */
void send_configure(struct send *send, const struct mum_config *config);

/*
 * What Postfix is answered: static text; NULL when nothing is against it and other checks
 * may be to be done.
 */
const char *send_check(struct send *send, const struct policy_request *request);

/* The table; what it shows may be a while too old for it to be swept first. */
struct send_table *send_table_of(struct send *send);
/* Has anything been sent since this was last asked? */
bool send_has_changed(struct send *send);

#endif
