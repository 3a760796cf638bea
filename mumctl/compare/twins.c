/* SPDX-License-Identifier: MIT */
/* Names that the server's collation takes for equal, and we do not (D1). */
#include "mumctl/compare/compare.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/xalloc.h"
#include "mumctl/compare/dovecot-sql.h"

enum { TABLES_MAX = 2 };

/* Where MUM's queries look for a map's key, and what kind of name it is. */
static const struct searched {
	enum address_kind kind;
	const char *tables[TABLES_MAX];
} searched_by[] = {
	[SOCKETMAP_DOMAINS] = { ADDRESS_DOMAIN, { "domains" } },
	[SOCKETMAP_MAILBOXES] = { ADDRESS_LOGIN, { "mailboxes" } },
	[SOCKETMAP_ALIASES] = { ADDRESS_LOGIN, { "aliases" } },
	[SOCKETMAP_SENDERS] = { ADDRESS_LOGIN, { "mailboxes", "aliases" } },
	[SOCKETMAP_ACCESS] = { ADDRESS_LOGIN, { "mailboxes" } },
	[SOCKETMAP_TLS] = { ADDRESS_TLS, { "tls_policies" } },
};
_Static_assert(sizeof(searched_by) / sizeof(searched_by[0]) == SOCKETMAP_MAPS, "a cell for each map");

/* A literal, which takes on the collation of the column. Caller frees. */
static char *literal(const char *text, size_t len)
{
	struct buf sql = BUF_INIT(2 * len + 16);

	dovecot_sql_put_literal(&sql, text, len, false);
	return buf_steal(&sql);
}

/* Finds active rows, as MUM's queries do; of TLS policies, all rows. Caller frees. */
static char *statement(const char *table, enum address_kind kind, const char *key)
{
	const char *at = strrchr(key, '@');
	size_t len = at != NULL ? (size_t)(at - key) : 0;
	char *local = literal(key, len);
	char *domain = literal(at != NULL ? at + 1 : key, strlen(at != NULL ? at + 1 : key));
	char *sql = kind == ADDRESS_LOGIN
			    ? xasprintf("SELECT t.local_part, d.domain FROM %s t"
					" JOIN domains d ON d.id = t.domain_id"
					" WHERE t.local_part = %s AND d.domain = %s"
					" AND t.active = 1 AND d.active = 1",
					table, local, domain)
			    : xasprintf("SELECT domain FROM %s WHERE domain = %s%s", table,
					domain, kind == ADDRESS_DOMAIN ? " AND active = 1" : "");

	free(domain);
	free(local);
	return sql;
}

struct search {
	const struct searched *searched;
	const char *key;
	bool found, twin;
	bool *failed;
};

/* Are the two one name for us, too? */
static bool is_same_name(enum address_kind kind, const char *one, const char *other)
{
	struct address *first = address_new(kind, one, strlen(one), "");
	struct address *second = address_new(kind, other, strlen(other), "");
	bool same = first != NULL && second != NULL && strcmp(first->key, second->key) == 0;

	address_unref(&first);
	address_unref(&second);
	return same;
}

static void on_row(const struct column *columns, void *arg)
{
	struct search *search = arg;
	enum address_kind kind = search->searched->kind;
	char *name = kind == ADDRESS_LOGIN
			     ? xasprintf("%s@%s", columns[0].data, columns[1].data)
			     : xstrdup(columns[0].data);

	search->found = true;
	search->twin = search->twin || !is_same_name(kind, name, search->key);
	free(name);
}

/* text: the key, as it is or folded. */
static void look_for(struct inspect *db, struct search *search, const char *text)
{
	struct inspect_error error;

	for (size_t i = 0; db != NULL && i < TABLES_MAX && search->searched->tables[i] != NULL;
	     i++) {
		char *sql = statement(search->searched->tables[i], search->searched->kind, text);

		if (!inspect_query(db, sql, on_row, search, &error)) {
			tool_complain("database", error.text);
			*search->failed = true;
		}
		free(sql);
	}
}

bool twin_exists(struct inspect *db, enum socketmap_number map, const char *key, bool *failed)
{
	struct search search = { &searched_by[map], key, false, false, failed };
	/* Postfix folds keys, too, but does not compose them. */
	char *folded = address_fold_local(key, strlen(key));

	look_for(db, &search, key);
	look_for(db, &search, folded);
	free(folded);
	return search.twin;
}

bool twin_is_found(struct inspect *db, enum socketmap_number map, const char *key,
		   bool *failed)
{
	struct search search = { &searched_by[map], key, false, false, failed };

	look_for(db, &search, key);
	return search.found;
}
