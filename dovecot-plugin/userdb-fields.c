/* SPDX-License-Identifier: MIT */
#include "dovecot-plugin/userdb-fields.h"

#include <inttypes.h>
#include <stdio.h>

void userdb_put_fields(const struct user *user, userdb_field_fn *put, void *arg)
{
	char quota[64];

	put(arg, "home", user->home);
	put(arg, "mail", user->mail);
	/* Unlimited is 0 for Dovecot too. */
	snprintf(quota, sizeof(quota), "*:storage=%" PRIu64 "G", user->quota_gb);
	put(arg, "quota_rule", quota);
}
