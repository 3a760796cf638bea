/* SPDX-License-Identifier: MIT */
/* The parts of mumctl explain: rows as JSON, and the reason of each verdict. */
#ifndef MUM_EXPLAIN_H
#define MUM_EXPLAIN_H

#include "mumctl/tool.h"

/*
 * The rows of one question as an array of objects, nothing left out but what is
 * NULL; of a password hash only what verify_describe() says.
 */
json_t *explain_rows(const struct mum_answer *answer, enum mum_question question,
		     const struct mum_config *config);

/*
 * Why the rule came to its verdict, in words and from the same rows. The answer
 * has asked what the rule wants and is MUM_FOUND. Caller frees.
 */
char *reason_of_domain(const struct mum_answer *answer);
char *reason_of_mailbox(const struct mum_answer *answer);
char *reason_of_recipients(const struct mum_answer *answer);
char *reason_of_recipient(const struct mum_answer *answer);
char *reason_of_owners(const struct mum_answer *answer);
char *reason_of_tls(const struct mum_answer *answer);
char *reason_of_credential(const struct mum_answer *answer, const struct mum_config *config);
char *reason_of_user(const struct mum_answer *answer);
/* Why there are no facts, of any other answer. */
char *reason_without_facts(const struct asked *asked);

/*
 * Why the policy service's two checks decide so, with the modes of mum.conf; of
 * any answer. login: "" when nobody logged in.
 */
char *reason_of_recipient_check(const struct asked *delivery,
				const struct mum_config *config);
char *reason_of_sender_check(const struct asked *owners, const char *login,
			     const struct mum_config *config);

/*
 * In plain words: who gets the mail and who may send, or why nobody. deferred: why Postfix
 * cannot be handed what there is, or NULL. Caller frees.
 */
char *summary_of_address(const char *address, const struct asked *delivery,
			 const char *deferred, const struct asked *owners,
			 const struct mum_config *config);
char *summary_of_domain(const char *domain, const struct asked *asked);

#endif
