/* SPDX-License-Identifier: MIT */
#include "mumctl/reverse/reverse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/buf.h"
#include "common/rules-users.h"
#include "common/xalloc.h"
#include "mumctl/reverse/ask.h"
#include "mumctl/reverse/may-send.h"
#include "mumctl/reverse/quota.h"
#include "mumctl/reverse/ways.h"

/* ---- what there is ---- */

const char *reverse_login(const struct mum_answer *user)
{
	const struct facts *facts = user->facts[MUM_USER];

	for (size_t i = 0; user->status == MUM_FOUND && i < facts->count; i++) {
		if (state_is_active(state_of_login(&facts->users[i].mailbox)))
			return facts->users[i].mailbox.address;
	}
	return NULL;
}

static bool add_senders(struct tool *tool, struct inspect *db, struct unknown_names *unknown,
			const struct mum_answer *user, json_t *document,
			struct inspect_error *error_r)
{
	const struct facts *facts = user->facts[MUM_USER];
	const char **logins = xcalloc(facts->count, sizeof(*logins));
	json_t *list = json_array();
	size_t count = 0;
	bool good;

	for (size_t i = 0; i < facts->count; i++) {
		if (state_is_active(state_of_login(&facts->users[i].mailbox)))
			logins[count++] = facts->users[i].mailbox.address;
	}
	good = may_send_find(tool, db, unknown, logins, count, list, error_r);
	json_object_set_new(document, "may_send_as", list);
	free(logins);
	return good;
}

static const char *const way_kinds[] = {
	[FORM_IS_NAME] = "alias", [FORM_IS_ROLE] = "role", [FORM_IS_CATCH_ALL] = "catch-all",
};

static json_t *way_json(const struct way *way)
{
	json_t *path = json_array();

	for (size_t i = 0; i < way->count; i++)
		json_array_append_new(path, tool_json_text(way->path[i]));
	return json_pack("{so ss so so sb}", "alias", tool_json_text(way->alias),
			 "kind", way_kinds[way->kind], "path", path,
			 "expires", way->expires != NULL ? tool_json_text(way->expires)
							 : json_null(),
			 "deferred", way->deferred);
}

/* mailbox: one that accepts mail, or NULL. */
static bool add_ways(struct tool *tool, struct inspect *db, struct unknown_names *unknown,
		     const char *mailbox, json_t *document, struct inspect_error *error_r)
{
	struct ways ways = { .count = 0 };
	bool good = mailbox == NULL || ways_find(tool, db, unknown, mailbox, &ways, error_r);
	json_t *list = json_array();

	for (size_t i = 0; i < ways.count; i++)
		json_array_append_new(list, way_json(&ways.items[i]));
	json_object_set_new(document, "receives", json_boolean(ways.receives && !ways.deferred));
	json_object_set_new(document, "aliases", list);
	ways_clear(&ways);
	return good;
}

/* If only Dovecot is here, mum.conf may have no database user for mumd. */
static bool is_configured(const struct tool *tool)
{
	struct mum_config *config = tool_load_config(tool, MUM_ROLE_POSTFIX);
	bool is = config != NULL;

	mum_config_free(&config);
	return is;
}

/* *unknown_r: NULL where names that nobody has get no mail. False sets the error. */
static bool open_unknown(struct tool *tool, struct inspect *db,
			 struct unknown_names **unknown_r, struct inspect_error *error_r)
{
	const struct mum_config *config = tool_config(tool, MUM_ROLE_POSTFIX);

	*unknown_r = NULL;
	if (!config->address.catch_all && config->address.roles.count == 0)
		return true;
	*unknown_r = unknown_names_new(db, config, error_r);
	return *unknown_r != NULL;
}

/* False sets the error. */
static bool add_all(struct tool *tool, const struct mum_answer *answer, json_t *added,
		    struct inspect_error *error_r)
{
	struct inspect *db = ask_open(tool, MUM_ROLE_POSTFIX, error_r);
	struct user user;
	const char *why;
	bool found = rule_user(answer, &user, &why) == MUM_FOUND;
	struct unknown_names *unknown = NULL;
	bool good = db != NULL && open_unknown(tool, db, &unknown, error_r) &&
		    add_senders(tool, db, unknown, answer, added, error_r) &&
		    add_ways(tool, db, unknown, found ? user.address : NULL, added, error_r);

	if (good)
		json_object_set_new(added, "quota", found ? quota_json(tool, &user) : json_null());
	unknown_names_free(&unknown);
	inspect_close(&db);
	return good;
}

int reverse_add(struct tool *tool, const struct mum_answer *user, json_t *document)
{
	struct inspect_error error;
	json_t *added = json_object();
	int status = 0;

	if (!is_configured(tool))
		status = EX_CONFIG;
	else if (!add_all(tool, user, added, &error))
		status = tool_complain_database("aliases and senders cannot be read", &error);
	else
		json_object_update(document, added);
	json_decref(added);
	return status;
}

/* ---- printing ---- */

/* ", until ...", or nothing. Caller frees. */
static char *until(const json_t *item)
{
	const char *expires = tool_json_member(item, "expires");

	return *expires != '\0' ? xasprintf(", until %s", expires) : xstrdup("");
}

static void print_senders(const json_t *list)
{
	const json_t *item;
	size_t i;

	printf(json_array_size(list) > 0 ? "\nmay send as\n" : "\nmay send as no address\n");
	json_array_foreach(list, i, item) {
		char *end = until(item);

		tool_print_line("  %s%s", tool_json_member(item, "address"), end);
		free(end);
	}
}

/* The words before a way that begins with a role or a catch-all. */
static const char *beginning(const json_t *way)
{
	const char *kind = tool_json_member(way, "kind");

	if (strcmp(kind, way_kinds[FORM_IS_ROLE]) == 0)
		return "a role, ";
	return strcmp(kind, way_kinds[FORM_IS_CATCH_ALL]) == 0 ? "the catch-all " : "";
}

static void print_way(const json_t *way)
{
	struct buf path = BUF_INIT(1 << 24);
	char *end = until(way), *text;
	const json_t *name;
	size_t i;

	json_array_foreach(json_object_get(way, "path"), i, name)
		buf_printf(&path, "%s%s", i > 0 ? " -> " : "", json_string_value(name));
	text = buf_steal(&path);
	tool_print_line("  %s%s%s%s", beginning(way), text,
			json_is_true(json_object_get(way, "deferred"))
				? ", but Postfix defers this mail: see mumctl check" : "", end);
	free(text);
	free(end);
}

static void print_ways(const json_t *document)
{
	const json_t *list = json_object_get(document, "aliases"), *way;
	size_t i;

	printf("\ngets mail to its own address: %s\n",
	       json_is_true(json_object_get(document, "receives")) ? "yes" : "no");
	if (json_array_size(list) > 0)
		printf("gets mail by way of\n");
	json_array_foreach(list, i, way)
		print_way(way);
}

static void print_quota(const json_t *quota)
{
	const char *source = tool_json_member(quota, "source");
	size_t gb = tool_json_number(quota, "gb"), kib = tool_json_number(quota, "used_kib");
	const json_t *full = json_object_get(quota, "full");

	if (gb > 0)
		printf("\nquota: %zu GB, the %s's", gb, source);
	else if (strcmp(source, "none") == 0)
		printf("\nquota: no limit, for neither mailbox nor domain has one");
	else
		printf("\nquota: no limit, the %s's is 0", source);
	if (json_is_integer(json_object_get(quota, "used_kib")))
		printf("; %zu KiB used", kib);
	if (json_is_integer(json_object_get(quota, "used_kib")) && gb > 0)
		printf(", %.1f %%", 100.0 * (double)kib / ((double)gb * 1024 * 1024));
	if (json_is_boolean(full))
		printf("; %s", json_is_true(full) ? "full: Dovecot takes no mail"
						  : "Dovecot takes mail");
	printf("\n");
}

void reverse_print(const json_t *document)
{
	const json_t *quota = json_object_get(document, "quota");

	if (quota == NULL)
		return;
	print_senders(json_object_get(document, "may_send_as"));
	print_ways(document);
	if (!json_is_null(quota))
		print_quota(quota);
}
