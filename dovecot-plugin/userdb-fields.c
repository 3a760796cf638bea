/* SPDX-License-Identifier: MIT */
#include "dovecot-plugin/userdb-fields.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/mail-location.h"

static void put_quota(const struct user *user, const char *name, const char *before,
		      userdb_field_fn *put, void *arg)
{
	char quota[64];

	/* 0 means unlimited, for Dovecot, too. */
	snprintf(quota, sizeof(quota), "%s%" PRIu64 "G", before, user->quota_gb);
	put(arg, name, quota);
}

static const char *put_settings(const struct user *user, struct arena *arena,
				userdb_field_fn *put, void *arg)
{
	struct mail_location location;
	const char *why = mail_location_parse(user->mail, arena, &location);

	if (why != NULL)
		return why;
	put(arg, "home", user->home);
	for (int i = 0; i < MAIL_SETTINGS; i++) {
		if (location.values[i] != NULL)
			put(arg, mail_setting_name((enum mail_setting)i), location.values[i]);
	}
	put_quota(user, "quota_storage_size", "", put, arg);
	return NULL;
}

const char *userdb_put_fields(const struct user *user, enum dovecot_generation generation,
			      struct arena *arena, userdb_field_fn *put, void *arg)
{
	if (generation == DOVECOT_2_4)
		return put_settings(user, arena, put, arg);
	put(arg, "home", user->home);
	put(arg, "mail", user->mail);
	put_quota(user, "quota_rule", "*:storage=", put, arg);
	return NULL;
}

void userdb_put_all_fields(const struct user *user, userdb_field_fn *put, void *arg)
{
	struct arena arena = { 0 };
	struct mail_location location = { 0 };
	bool known = user != NULL && mail_location_parse(user->mail, &arena, &location) == NULL;

	put(arg, "home", known ? user->home : "");
	for (int i = 0; i < MAIL_SETTINGS; i++) {
		const char *value = known ? location.values[i] : NULL;

		put(arg, mail_setting_name((enum mail_setting)i), value != NULL ? value : "");
	}
	if (known)
		put_quota(user, "quota_storage_size", "", put, arg);
	else
		put(arg, "quota_storage_size", "");
	arena_free(&arena);
}
