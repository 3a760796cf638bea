/* SPDX-License-Identifier: MIT */
/* The parts of mumctl explain: rows as JSON, what asks more than MUM, the first line. */
#ifndef MUM_EXPLAIN_H
#define MUM_EXPLAIN_H

#include "mumctl/reasons.h"

/*
 * The rows of one question as an array of objects, without what is NULL, and with
 * verify_describe() in place of a password hash.
 */
json_t *explain_rows(const struct mum_answer *answer, enum question_kind kind,
		     const struct mum_config *config);

/*
 * What the limit answers to a mail of the login to one recipient; policy.send must not be
 * "off". Static text; the caller frees *reason_r.
 */
const char *explain_limit(const struct mum_config *config, const char *login, char **reason_r);

/*
 * Why the check of the quota decides so; asks Dovecot. *action_r is static. NULL when
 * policy.quota is off. Caller frees.
 */
char *explain_reason_of_quota(struct tool *tool, const char *address, const char **action_r);

/*
 * In plain words: who gets the mail and who may send, or why nobody. deferred: why Postfix
 * defers the mail, or NULL. Caller frees.
 */
char *explain_summary_of_address(const char *address, const struct asked *delivery,
			 const char *deferred, const struct asked *owners,
			 const struct mum_config *config);
char *explain_summary_of_domain(const char *domain, const struct asked *asked);

#endif
