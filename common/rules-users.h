/* SPDX-License-Identifier: MIT */
/* Makes verdicts for logins (see rules.h): who may log in, and where the mail lives. */
#ifndef MUM_RULES_USERS_H
#define MUM_RULES_USERS_H

#include "common/states.h"
#include "common/status.h"

struct credential {
	const char *address;	/* as stored: the user's name from here on */
	const char *password;	/* hash as stored; NULL if it is no text */
	bool send_only;
};

/* Asks MUM_CREDENTIAL. Who may log in: active mailboxes of active domains. */
enum mum_status rule_credential(const struct mum_answer *answer,
				struct credential *credential_r);

enum quota_source { QUOTA_OF_NOBODY, QUOTA_OF_MAILBOX, QUOTA_OF_DOMAIN };

struct user {
	const char *address;	/* as stored */
	const char *home;	/* absolute */
	const char *mail;	/* Dovecot's mail location, as stored */
	uint64_t quota_gb;	/* 0: unlimited */
	enum quota_source quota_source;	/* the mailbox's own counts before the domain's */
};

/*
 * Asks MUM_USER. Who has mail: as above, but not send-only. If Dovecot must not get
 * the row, the status is MUM_TEMPFAIL and *why_r says what is wrong with the row
 * (static); otherwise *why_r is NULL.
 */
enum mum_status rule_user(const struct mum_answer *answer, struct user *user_r,
			  const char **why_r);

/* Is this row of MUM_USERS somebody whom rule_user() finds? */
bool rule_is_listed(const struct listed_row *row);

#endif
