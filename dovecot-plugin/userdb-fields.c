/* SPDX-License-Identifier: MIT */
#include "dovecot-plugin/compat.h"

#include "dovecot-plugin/userdb-fields.h"

void userdb_put_fields(struct auth_request *request, const struct user *user,
		       userdb_field_fn *put)
{
	put(request, "home", user->home);
	put(request, "mail", user->mail);
	/* Unlimited is 0 for Dovecot too. */
	put(request, "quota_rule", t_strdup_printf("*:storage=%luG", user->quota_gb));
}
