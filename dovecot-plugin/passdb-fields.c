/* SPDX-License-Identifier: MIT */
#include "dovecot-plugin/dovecot.h"

#include "dovecot-plugin/passdb-fields.h"

#include "common/arena.h"
#include "common/rules.h"

#include "dovecot-plugin/userdb-fields.h"

static void put_no_field(void *unused ATTR_UNUSED, const char *name ATTR_UNUSED,
			 const char *value ATTR_UNUSED)
{
}

bool passdb_read_user(const struct mum_answer *facts, struct user *user_r)
{
	struct arena arena = { 0 };
	const char *why;
	bool usable = rule_user(facts, user_r, &why) == MUM_FOUND &&
		      userdb_put_fields(user_r, dovecot_generation, &arena, put_no_field,
					NULL) == NULL;

	arena_free(&arena);
	return usable;
}

static void put_prefetch_field(void *request, const char *name, const char *value)
{
	auth_request_set_field(request, t_strconcat("userdb_", name, NULL), value, NULL);
}

static void import_all(struct auth_request *request, const struct passdb_values *values)
{
	struct arena arena = { 0 };

	auth_request_set_field(request, "user", values->address, NULL);
	if (values->why_no_password == NULL)
		auth_request_set_field(request, "password", values->password, "CRYPT");
	/* The answer of the userdb, for a userdb "prefetch". */
	if (values->user != NULL)
		(void)userdb_put_fields(values->user, dovecot_generation, &arena,
					put_prefetch_field, request);
	arena_free(&arena);
}

static void put_values(void *context, userdb_field_fn *put, void *arg)
{
	const struct passdb_values *values = context;

	put(arg, "user", values->address);
	put(arg, "password", values->password);
	userdb_put_all_fields(values->user, put, arg);
}

bool passdb_set_fields(struct auth_request *request, struct passdb_values *values)
{
	bool is_master = request->fields.requested_login_user != NULL;
	bool has_mail = values->user != NULL, added;

	if (is_master)
		values->user = NULL;
	if (passdb_imports_all(request))
		import_all(request, values);
	added = passdb_add_fields(request, put_values, values);
	/* Dovecot's cache would let somebody in with this password. */
	if (values->why_no_password != NULL)
		request->passdb_password = NULL;
	/*
	 * Makes Dovecot ask the userdb, which says why there is no mail. Otherwise
	 * Dovecot would use what an earlier passdb said about a user of the same name,
	 * or about a master.
	 */
	if (!has_mail && !is_master)
		request->userdb_prefetch_set = FALSE;
	return added;
}
