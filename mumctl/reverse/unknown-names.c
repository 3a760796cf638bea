/* SPDX-License-Identifier: MIT */
#include "mumctl/reverse/unknown-names.h"

#include <stdlib.h>
#include <string.h>

#include "common/address-fallback.h"
#include "common/buf.h"
#include "common/keyed-hash.h"
#include "mumctl/reverse/ask.h"

/* ---- a name that nobody has ---- */

static bool is_nobodys(const struct address *address, is_known_fn *is_known, void *arg)
{
	size_t role;
	bool known = address_is_role(address, &role);

	for (size_t form = 0; form < address->forms_count && !known; form++) {
		char *name = address_form_text(address, form);

		known = address->forms[form].kind == FORM_IS_NAME && is_known(name, arg);
		free(name);
	}
	return !known;
}

char *unknown_name_pick(const char *domain, const struct mum_config *config,
			is_known_fn *is_known, void *arg)
{
	const struct fallback_settings settings = mum_config_fallbacks(config);

	for (size_t number = 0; ; number++) {
		char *stored = xasprintf("nobody%zu@%s", number, domain);
		char *name = ask_name(stored, "");
		struct address *address = address_new(ADDRESS_MAIL, name, strlen(name),
						      config->address.recipient_delimiter);
		bool good = true;

		free(stored);
		if (address != NULL) {
			address_add_fallbacks(address, &settings);
			good = is_nobodys(address, is_known, arg);
		}
		address_unref(&address);
		/* In a domain that mail cannot name, any name will do. */
		if (good)
			return name;
		free(name);
	}
}

/* ---- what is known ---- */

struct domain {
	UT_hash_handle hh;
	bool active, wanted;
	char *ids;		/* of its rows, one for each spelling, with commas between them */
	char key[];		/* folded */
};

struct name {
	UT_hash_handle hh;
	char key[];		/* folded */
};

struct unknown_names {
	struct inspect *db;
	const struct mum_config *config;
	struct keyed_hash hash;
	struct domain *domains;
	struct name *names;		/* of the domains that were read */
	struct buf unread;		/* the beginning of a list in JSON: ids of rows */
};

static struct domain *find_domain(const struct unknown_names *names, const char *key)
{
	struct domain *domain;

	KEYED_FIND(names->domains, &names->hash, key, strlen(key), domain);
	return domain;
}

static bool has_name(const char *key, void *arg)
{
	const struct unknown_names *names = arg;
	const struct name *name;

	KEYED_FIND(names->names, &names->hash, key, strlen(key), name);
	return name != NULL;
}

enum { READ_ID, READ_DOMAIN, READ_ACTIVE };
static const char domains_sql[] = "SELECT id, domain, active FROM domains";

static void on_domain(const struct column *columns, void *arg)
{
	struct unknown_names *names = arg;
	const char *stored = columns[READ_DOMAIN].data;
	const char *id = columns[READ_ID].data;
	struct domain *domain;
	char *key, *before;

	/* No mail can have a name with a NUL byte. */
	if (id == NULL || !column_is_whole(&columns[READ_DOMAIN]))
		return;
	key = address_fold_domain(stored, strlen(stored));
	domain = find_domain(names, key);
	if (domain == NULL)
		KEYED_ADD(names->domains, &names->hash, key, strlen(key), domain, key);
	free(key);
	domain->active |= column_is_true(&columns[READ_ACTIVE]);
	before = domain->ids;
	domain->ids = before != NULL ? xjoin(before, ",", id) : xstrdup(id);
	free(before);
}

struct unknown_names *unknown_names_new(struct inspect *db, const struct mum_config *config,
					struct inspect_error *error_r)
{
	struct unknown_names *names = xcalloc(1, sizeof(*names));

	names->db = db;
	names->config = config;
	names->unread = (struct buf)BUF_INIT(1 << 28);
	keyed_hash_init(&names->hash);
	if (!inspect_query(db, domains_sql, on_domain, names, error_r))
		unknown_names_free(&names);
	return names;
}

void unknown_names_free(struct unknown_names **_names)
{
	struct unknown_names *names = *_names;
	struct domain *domain, *next_domain;
	struct name *name, *next;

	*_names = NULL;
	if (names == NULL)
		return;
	KEYED_FREE_WITH(names->domains, domain, next_domain, ids);
	KEYED_FREE(names->names, name, next);
	buf_free(&names->unread);
	free(names);
}

bool unknown_names_is_ours(const struct unknown_names *names, const char *domain)
{
	char *key = address_fold_domain(domain, strlen(domain));
	const struct domain *found = find_domain(names, key);

	free(key);
	return found != NULL && found->active;
}

void unknown_names_each_domain(const struct unknown_names *names, active_domain_fn *fn,
			       void *arg)
{
	for (const struct domain *domain = names->domains; domain != NULL;
	     domain = domain->hh.next) {
		if (domain->active)
			fn(domain->key, arg);
	}
}

enum { NAME_LOCAL, NAME_DOMAIN };
#define NAMES(LOCAL, FROM) "SELECT " LOCAL ", d.domain FROM " FROM
/* A UNION mixes columns of two tables, so they must have the same collation. */
#define MARIADB_NAMES(TABLE) \
	NAMES("CONVERT(n.local_part USING utf8mb4)", \
	      "JSON_TABLE(?, '$[*]' COLUMNS(id BIGINT UNSIGNED PATH '$')) k" \
	      " STRAIGHT_JOIN domains d ON d.id = k.id" \
	      " STRAIGHT_JOIN " TABLE " n ON n.domain_id = d.id")
/* No index leads from a domain to its names, so a statement reads the whole table. */
#define SQLITE_NAMES(TABLE) \
	NAMES("n.local_part", TABLE " n CROSS JOIN domains d ON d.id = n.domain_id" \
	      " WHERE d.id IN (SELECT value FROM json_each(?))")
static const char mariadb_names_sql[] =
	MARIADB_NAMES("mailboxes") " UNION ALL " MARIADB_NAMES("aliases");
static const char sqlite_names_sql[] =
	SQLITE_NAMES("mailboxes") " UNION ALL " SQLITE_NAMES("aliases");

static void on_name(const struct column *columns, void *arg)
{
	struct unknown_names *names = arg;
	struct address *address;
	struct name *name;
	char *text;

	if (columns[NAME_LOCAL].data == NULL || columns[NAME_DOMAIN].data == NULL)
		return;
	text = xjoin(columns[NAME_LOCAL].data, "@", columns[NAME_DOMAIN].data);
	address = address_new(ADDRESS_LOGIN, text, strlen(text), "");
	free(text);
	if (address == NULL)	/* no mail can have the name */
		return;
	text = address_form_text(address, 0);
	if (!has_name(text, names))
		KEYED_ADD(names->names, &names->hash, text, strlen(text), name, key);
	free(text);
	address_unref(&address);
}

void unknown_names_want(struct unknown_names *names, const char *stored)
{
	char *key = address_fold_domain(stored, strlen(stored));
	struct domain *domain = find_domain(names, key);

	free(key);
	if (domain == NULL || domain->wanted)
		return;
	domain->wanted = true;
	buf_printf(&names->unread, "%c%s", names->unread.len == 0 ? '[' : ',', domain->ids);
}

bool unknown_names_read(struct unknown_names *names, struct inspect_error *error_r)
{
	bool sqlite = names->config->database.driver == MUM_DRIVER_SQLITE;
	char *ids;
	bool good;

	if (names->unread.len == 0)
		return true;
	buf_puts(&names->unread, "]");
	ids = buf_steal(&names->unread);
	good = inspect_ask(names->db, sqlite ? sqlite_names_sql : mariadb_names_sql,
			   (const char *const[]){ ids, ids }, 2, on_name, names, error_r);
	free(ids);
	return good;
}

bool unknown_names_has(const struct unknown_names *names, const char *name)
{
	const char *at = strrchr(name, '@');
	const struct domain *domain = at != NULL ? find_domain(names, at + 1) : NULL;

	return domain != NULL && domain->wanted && !has_name(name, (void *)names);
}

char *unknown_names_pick(const struct unknown_names *names, const char *domain)
{
	return unknown_name_pick(domain, names->config, has_name, (void *)names);
}
