/* SPDX-License-Identifier: MIT */
/* Does a difference change anything for mail, and what, in plain words? Pure. */
#ifndef MUM_COMPARE_EFFECTS_H
#define MUM_COMPARE_EFFECTS_H

#include <stdbool.h>

/* What one side answers about a recipient; NULL is "not found", or not asked. */
struct mail_answers {
	const char *access, *alias, *mailbox;
	bool deferred;		/* no answer that Postfix could use */
};

/* Is mail refused by an answer of recipient-access? */
bool effect_is_refusal(const struct mail_answers *answers);
/* Does the mail take another way? */
bool effect_on_mail(const struct mail_answers *stock, const struct mail_answers *ours);
/* What one side does with the mail, in plain words, for people. Caller frees. */
char *effect_of_side(const struct mail_answers *answers);
/* The same of our side; of two lists only what differs. */
char *effect_of_ours(const struct mail_answers *stock, const struct mail_answers *ours);
/* A value for people: in quotes, and cut when it is long. Caller frees. */
char *effect_value(const char *value);

#endif
