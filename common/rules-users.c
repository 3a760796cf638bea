/* SPDX-License-Identifier: MIT */
#include "common/rules-users.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum mum_status rule_credential(const struct mum_answer *answer,
				struct credential *credential_r)
{
	const struct facts *facts = answer->facts[MUM_CREDENTIAL];

	if (answer->status != MUM_FOUND)
		return answer->status;
	for (size_t i = 0; i < facts->count; i++) {
		const struct credential_row *row = &facts->credentials[i];

		if (state_is_active(state_of_login(&row->mailbox))) {
			*credential_r = (struct credential){ row->mailbox.address,
							     row->password,
							     row->mailbox.send_only };
			return MUM_FOUND;
		}
	}
	return MUM_NOT_FOUND;
}

/* Reads gigabytes whose bytes fit 63 bits. */
static bool parse_quota(const char *text, uint64_t *quota_r)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*quota_r = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *quota_r < UINT64_C(1) << 33;
}

/* "/../" leads out of the place that the admin gave to mail. */
static bool is_plain_path(const char *path)
{
	size_t len = strlen(path);

	return path[0] == '/' && strstr(path, "/../") == NULL &&
	       (len < 3 || strcmp(path + len - 3, "/..") != 0);
}

/*
 * Does the path of a mail location, DRIVER:PATH:KEY=VALUE..., or one of its values have
 * a component ".."?
 */
static bool leads_upwards(const char *location)
{
	static const char ends[] = "/:=";

	for (const char *at = location; (at = strstr(at, "..")) != NULL; at += 2) {
		bool begins = at == location || strchr(ends, at[-1]) != NULL;

		if (begins && (at[2] == '\0' || at[2] == '/' || at[2] == ':'))
			return true;
	}
	return false;
}

/* The mailbox's own quota counts first, and 0 is one: unlimited. */
static const char *quota_of(const struct user_row *row, enum quota_source *source_r)
{
	*source_r = row->quota != NULL	       ? QUOTA_OF_MAILBOX
		    : row->domain_quota != NULL ? QUOTA_OF_DOMAIN
						: QUOTA_OF_NOBODY;
	switch (*source_r) {
	case QUOTA_OF_MAILBOX:
		return row->quota;
	case QUOTA_OF_DOMAIN:
		return row->domain_quota;
	case QUOTA_OF_NOBODY:
		break;
	}
	return "0";
}

static const char *read_user(const struct user_row *row, struct user *user_r)
{
	enum quota_source source;
	const char *quota = quota_of(row, &source);

	*user_r = (struct user){ row->mailbox.address, row->homedir, row->maildir, 0, source };
	if (row->homedir == NULL || !is_plain_path(row->homedir))
		return "homedir is not an absolute path of printable characters";
	if (row->maildir == NULL || *row->maildir == '\0')
		return "maildir is empty or holds control characters";
	if (leads_upwards(row->maildir))
		return "maildir leads upwards (/../)";
	if (!parse_quota(quota, &user_r->quota_gb))
		return "quota is not a number of gigabytes below 2^33";
	return NULL;
}

enum mum_status rule_user(const struct mum_answer *answer, struct user *user_r,
			  const char **why_r)
{
	const struct facts *facts = answer->facts[MUM_USER];

	*why_r = NULL;
	if (answer->status != MUM_FOUND)
		return answer->status;
	for (size_t i = 0; i < facts->count; i++) {
		const struct user_row *row = &facts->users[i];

		if (state_of_login(&row->mailbox) != MAILBOX_IS_LIVE)
			continue;
		*why_r = read_user(row, user_r);
		return *why_r == NULL ? MUM_FOUND : MUM_TEMPFAIL;
	}
	return MUM_NOT_FOUND;
}

bool rule_is_listed(const struct listed_row *row)
{
	return state_of_login(&row->mailbox) == MAILBOX_IS_LIVE;
}
