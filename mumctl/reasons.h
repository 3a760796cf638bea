/* SPDX-License-Identifier: MIT */
/* The reason of each answer in words, as explain and domain print it. */
#ifndef MUM_REASONS_H
#define MUM_REASONS_H

#include "common/states.h"
#include "mumctl/tool.h"
#include "postfix-policy/protocol/socketmap.h"

/*
 * The reason of an answer in words, from its own rows; or why there is none. asked: the
 * answer to the question that the verdict comes from. Caller frees.
 */
char *reason_of_map(enum socketmap_number map, const struct asked *asked);
/* *mail_r: what becomes of mail to the domain. Static texts. */
const char *reason_of_domain_state(enum domain_state state, const char **mail_r);
/* *answer_r: what the passdb does. Static text. */
char *reason_of_passdb(const struct asked *asked, const struct mum_config *config,
		       const char **answer_r);
char *reason_of_userdb(const struct asked *asked);
/* Of an answer that is not MUM_FOUND. */
char *reason_without_facts(const struct asked *asked);

/*
 * Why a check of the policy service decides so about one reading of the address. kind:
 * MUM_DELIVERY for the recipient, MUM_OWNERS for the sender. login: "" when nobody logged in.
 */
char *reason_of_check(enum question_kind kind, const struct asked *asked,
		      const char *login, const struct mum_config *config);
/* Why it decides without a question. */
char *reason_unasked(enum question_kind kind, const char *login,
		     const struct mum_config *config);
/* Adds that the mode "warn" lets a refusal pass. Takes over reason. */
char *reason_with_mode(char *reason, const char *option, enum mum_check mode, bool accepted);

#endif
