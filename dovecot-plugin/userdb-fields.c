/* SPDX-License-Identifier: MIT */
#include "dovecot-plugin/userdb-fields.h"

#include <stdio.h>

void userdb_put_fields(const struct user *user, userdb_field_fn *put, void *arg)
{
	char quota[64];

	put(arg, "home", user->home);
	put(arg, "mail", user->mail);
	/* Unlimited is 0 for Dovecot too. */
	snprintf(quota, sizeof(quota), "*:storage=%luG", user->quota_gb);
	put(arg, "quota_rule", quota);
}
