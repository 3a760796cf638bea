/* SPDX-License-Identifier: MIT */
/*
 * The fields of a login: those of the passdb, those that a userdb "prefetch" takes, and
 * the admin's own.
 */
#ifndef MUM_DOVECOT_PASSDB_FIELDS_H
#define MUM_DOVECOT_PASSDB_FIELDS_H

#include "dovecot-plugin/dovecot.h"

#include "common/facts.h"
#include "common/rules.h"

/* What the row says, in Dovecot's words. */
struct passdb_values {
	const char *address;
	const char *password;		/* {SCHEME}hash; the dummy if why_no_password is set */
	const char *why_no_password;	/* NULL: the password may be used */
	const struct user *user;	/* NULL: no mail, or none that Dovecot can express */
};

/* Would the userdb find this user at a login? Then sets *user_r. */
bool passdb_read_user(const struct mum_answer *facts, struct user *user_r);

/*
 * False: the admin's own fields could not be added. A master user
 * (auth_master_user_separator) gets no prefetch fields: the mail belongs to somebody
 * else, whom Dovecot looks up next; values->user is NULL afterwards.
 */
bool passdb_set_fields(struct auth_request *request, struct passdb_values *values);

#endif
