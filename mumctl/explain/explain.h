/* SPDX-License-Identifier: MIT */
/* The parts of mumctl explain: rows as JSON, the reason of each verdict, the first line. */
#ifndef MUM_EXPLAIN_H
#define MUM_EXPLAIN_H

#include "mumctl/tool.h"
#include "postfix-policy/protocol/socketmap.h"

/*
 * The rows of one question as an array of objects, without what is NULL, and with
 * verify_describe() in place of a password hash.
 */
json_t *explain_rows(const struct mum_answer *answer, enum question_kind kind,
		     const struct mum_config *config);

/*
 * The reason of an answer in words, from its own rows; or why there is none. asked: the
 * answer to the question that the verdict comes from. Caller frees.
 */
char *explain_reason_of_map(enum socketmap_number map, const struct asked *asked);
/* *answer_r: what the passdb does. Static text. */
char *explain_reason_of_passdb(const struct asked *asked, const struct mum_config *config,
			       const char **answer_r);
char *explain_reason_of_userdb(const struct asked *asked);
/* Of an answer that is not MUM_FOUND. */
char *explain_reason_without_facts(const struct asked *asked);

/*
 * Why a check of the policy service decides so about one reading of the address. kind:
 * MUM_DELIVERY for the recipient, MUM_OWNERS for the sender. login: "" when nobody logged in.
 */
char *explain_reason_of_check(enum question_kind kind, const struct asked *asked,
			      const char *login, const struct mum_config *config);
/* Why it decides without a question. */
char *explain_reason_unasked(enum question_kind kind, const char *login,
			     const struct mum_config *config);
/* Adds that the mode "warn" lets a refusal pass. Takes over reason. */
char *explain_with_mode(char *reason, const char *option, enum mum_check mode, bool accepted);

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
