/* SPDX-License-Identifier: MIT */
#include "mumctl/reverse/way-aliases.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/keyed-hash.h"
#include "mumctl/reverse/alias-rows.h"
#include "mumctl/reverse/ask.h"
#include "mumctl/reverse/name-index.h"

/* Roles are in no table, so they get ids that MUM does not reach. */
#define ROLES UINT64_MAX	/* in the index of texts: all roles */

/* A name, folded, that may be on a way. */
struct name {
	UT_hash_handle hh;
	char key[];
};

struct alias {
	UT_hash_handle hh;
	uint64_t id;		/* the key */
	struct way_alias found;
};

struct search {
	struct tool *tool;
	struct inspect *db;
	struct unknown_names *unknown;	/* NULL: there are neither roles nor catch-alls */
	const struct mum_config *config;
	const char *mailbox;
	struct inspect_error *error;
	struct recipients_settings settings;
	struct arena *arena;
	struct keyed_hash hash;
	struct name_index *texts;
	struct name *names, *next_name;	/* next_name: the first that is not searched */
	struct alias *aliases, *next_alias;	/* next_alias: for search_fallbacks() */
	uint64_t *ids;			/* aliases that a search found */
	size_t ids_count;
	bool role_found;		/* one of the names may be the recipient of roles */
	uint64_t next_role;		/* the id of the last role; ROLES: none yet */
};

static void add_name(const char *key, void *arg)
{
	struct search *search = arg;
	struct name *name;

	KEYED_FIND(search->names, &search->hash, key, strlen(key), name);
	if (name != NULL)
		return;
	KEYED_ADD(search->names, &search->hash, key, strlen(key), name, key);
	if (search->next_name == NULL)
		search->next_name = name;
}

/* Mail gets there under its own name, or under one that an extension turns into it. */
static void add_names(struct search *search, const char *stored)
{
	char *key = address_fold(stored);

	add_name(key, search);
	if (search->config->address.propagate_extension)
		name_index_each_stem(key, search->config->address.recipient_delimiter, add_name,
				     search);
	free(key);
}

static void add_alias(struct search *search, uint64_t id, const char *address,
		      const char *expires, enum address_form_kind kind)
{
	struct alias *alias;

	HASH_FIND(hh, search->aliases, &id, sizeof(id), alias);
	if (alias != NULL)
		return;
	alias = arena_alloc(search->arena, sizeof(*alias));
	alias->id = id;
	alias->found = (struct way_alias){ arena_strdup(search->arena, address),
					    arena_strdup(search->arena, expires), kind };
	HASH_ADD(hh, search->aliases, id, sizeof(id), alias);
	if (search->next_alias == NULL)
		search->next_alias = alias;
	if (kind != FORM_IS_CATCH_ALL)
		add_names(search, address);
}

static void on_alias(uint64_t id, const char *address, const char *expires, void *arg)
{
	struct search *search = arg;
	bool catch_all = *address == '@' && search->config->address.catch_all;

	add_alias(search, id, address, expires, catch_all ? FORM_IS_CATCH_ALL : FORM_IS_NAME);
}

enum { TEXT_ALIAS, TEXT_ITSELF };
/* All recipients without a mailbox: no index knows what a text may be read as. */
static const char texts_sql[] =
	"SELECT alias_id, recipient_address FROM alias_recipients WHERE mailbox_id IS NULL";

static void on_text(const struct column *columns, void *arg)
{
	const struct search *search = arg;

	if (column_is_whole(&columns[TEXT_ITSELF]))
		name_index_add(search->texts, columns[TEXT_ITSELF].data,
			       column_number(&columns[TEXT_ALIAS]));
}

static void add_id(uint64_t id, void *arg)
{
	struct search *search = arg;
	const struct alias *alias;

	if (id == ROLES) {
		search->role_found = true;
		return;
	}
	HASH_FIND(hh, search->aliases, &id, sizeof(id), alias);
	if (alias != NULL)
		return;
	search->ids = xgrow(search->ids, search->ids_count, sizeof(id));
	search->ids[search->ids_count++] = id;
}

/* Reads the aliases of all ids, in one statement. */
static bool read_ids(struct search *search)
{
	struct buf list = BUF_INIT(search->ids_count * 24 + 2);
	char *text;
	bool good;

	if (search->ids_count == 0)
		return true;
	for (size_t i = 0; i < search->ids_count; i++)
		buf_printf(&list, "%c%" PRIu64, i == 0 ? '[' : ',', search->ids[i]);
	buf_puts(&list, "]");
	text = buf_steal(&list);
	good = alias_rows_by_id(search->db,
				search->config->database.driver == MUM_DRIVER_SQLITE, text,
				on_alias, search, search->error);
	free(text);
	search->ids_count = 0;
	return good;
}

/* Reads the recipients that refer to a mailbox of the name. */
static bool read_boxes(struct search *search, const char *key, const struct asked *asked)
{
	const struct facts *facts = asked->answer.facts[MUM_DELIVERY];
	const char *last = NULL;
	bool good = true;

	for (size_t i = 0; facts != NULL && i < facts->count && good; i++) {
		const char *mailbox = facts->deliveries[i].mailbox;

		if (mailbox == NULL || (last != NULL && strcmp(mailbox, last) == 0) ||
		    !address_is_same(mailbox, key))
			continue;
		last = mailbox;
		good = alias_rows_of(search->db, ALIAS_ROWS_RECIPIENT, mailbox, on_alias, search,
				     search->error);
	}
	return good;
}

/* Searches all new names, and may add further ones. */
static bool search_level(struct search *search)
{
	struct questions questions = { .count = 0 };
	struct name *first = search->next_name, *name;
	size_t at = 0;
	bool good;

	for (name = first; name != NULL; name = name->hh.next) {
		questions_add(&questions, ask_name(name->key, ""));
		name_index_find(search->texts, name->key, add_id, search);
	}
	search->next_name = NULL;
	good = questions_ask(search->tool, MUM_DELIVERY, &questions, search->error);
	/* Behind those that were asked about, there are new ones by now. */
	for (name = first; name != NULL && at < questions.count && good; name = name->hh.next)
		good = read_boxes(search, name->key, &questions.answers[at++]);
	questions_free(&questions);
	return good && read_ids(search);
}

/* ---- roles and catch-alls ---- */

static void add_roles_of(const char *domain, void *arg)
{
	struct search *search = arg;
	const struct fallback_settings *fallbacks = &search->settings.fallbacks;

	for (size_t i = 0; i < fallbacks->roles_count; i++) {
		char *name = xjoin(fallbacks->roles[i], "@", domain);

		add_alias(search, --search->next_role, name, NULL, FORM_IS_ROLE);
		free(name);
	}
}

static bool is_unknown(const char *name, void *arg)
{
	return unknown_names_has(arg, name);
}

/* Searches what leads to roles and to new catch-alls. */
static bool search_fallbacks(struct search *search)
{
	const struct alias *alias = search->next_alias;
	bool caught = false;

	search->next_alias = NULL;
	for (; alias != NULL; alias = alias->hh.next) {
		if (alias->found.kind != FORM_IS_CATCH_ALL)
			continue;
		caught = true;
		unknown_names_want(search->unknown, alias->found.address + 1);
	}
	if (caught && !unknown_names_read(search->unknown, search->error))
		return false;
	if (caught)
		name_index_find_wanted(search->texts, is_unknown, search->unknown, add_id,
				       search);
	if (search->role_found && search->next_role == ROLES)
		unknown_names_each_domain(search->unknown, add_roles_of, search);
	return read_ids(search);
}

/* ---- all of it ---- */

static bool find(struct search *search)
{
	search->texts = name_index_new(&search->settings,
				       search->config->address.recipient_delimiter);
	if (!inspect_query(search->db, texts_sql, on_text, search, search->error))
		return false;
	if (search->settings.fallbacks.roles_count > 0)
		name_index_add(search->texts, search->settings.fallbacks.role_recipient, ROLES);
	add_names(search, search->mailbox);
	while (search->next_name != NULL || search->next_alias != NULL) {
		if (!search_level(search) || !search_fallbacks(search))
			return false;
	}
	return true;
}

static void put(const struct search *search, struct way_aliases *aliases)
{
	aliases->items = arena_alloc(search->arena,
				     HASH_COUNT(search->aliases) * sizeof(*aliases->items));
	for (const struct alias *alias = search->aliases; alias != NULL; alias = alias->hh.next)
		aliases->items[aliases->count++] = alias->found;
}

static void clear(struct search *search)
{
	struct name *name, *next_name;

	KEYED_FREE(search->names, name, next_name);
	HASH_CLEAR(hh, search->aliases);
	name_index_free(&search->texts);
	free(search->ids);
}

bool way_aliases_find(struct tool *tool, struct inspect *db, struct unknown_names *unknown,
		      const char *mailbox, struct arena *arena,
		      struct way_aliases *aliases_r, struct inspect_error *error_r)
{
	const struct mum_config *config = tool_config(tool, MUM_ROLE_POSTFIX);
	struct search search = {
		.tool = tool, .db = db, .unknown = unknown, .config = config,
		.mailbox = mailbox, .error = error_r,
		.settings = recipients_settings_of(config),
		.arena = arena, .next_role = ROLES,
	};
	bool good;

	*aliases_r = (struct way_aliases){ .count = 0 };
	keyed_hash_init(&search.hash);
	good = find(&search);
	if (good)
		put(&search, aliases_r);
	clear(&search);
	return good;
}
