/* SPDX-License-Identifier: MIT */
#include "common/store-mariadb/collations.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/store-mariadb/client.h"
#include "common/xalloc.h"

enum { STATEMENT_SIZE_MAX = 16384 };	/* bytes */

static const char mum_collation[] = "utf8mb4_unicode_ci";

static const struct {
	const char *name, *column, *table;
} columns[COLLATION_COLUMNS] = {
	{ COLUMN_DOMAIN, "domain", "domains" },
	{ COLUMN_MAILBOX, "local_part", "mailboxes" },
	{ COLUMN_ALIAS, "local_part", "aliases" },
	{ COLUMN_TLS, "domain", "tls_policies" },
};

/* ---- reading ---- */

/* Part of a statement from here on, so nothing but what such a name may hold. */
static bool is_collation(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	size_t len = strlen(name);

	return len > 0 && len < COLLATION_SIZE && strspn(name, letters) == len;
}

/* Grants and tables are not MUM's: the questions that need them will fail. */
static bool is_missing(unsigned number)
{
	return number == 1054 || number == 1142 || number == 1143 || number == 1146;
}

/*
 * False when the answer is no collation; mysql_errno() says why. SHOW reads the
 * table's definition: a lock on the table does not hold it up, as it would hold
 * up COLLATION().
 */
static bool read_column(MYSQL *mysql, size_t index, char name_r[COLLATION_SIZE])
{
	enum { SHOWN_COLLATION = 2 };
	char *sql = xasprintf("SHOW FULL COLUMNS FROM %s WHERE Field = '%s'",
			      columns[index].table, columns[index].column);
	MYSQL_RES *result = mysql_query(mysql, sql) == 0 ? mysql_store_result(mysql) : NULL;
	bool ok = result != NULL && mysql_num_fields(result) > SHOWN_COLLATION;
	MYSQL_ROW row = ok ? mysql_fetch_row(result) : NULL;
	const char *name = mum_collation;

	if (row != NULL)
		name = row[SHOWN_COLLATION] != NULL ? row[SHOWN_COLLATION] : "binary";
	ok = ok && is_collation(name);
	if (ok)
		strcpy(name_r, name);
	if (result != NULL)
		mysql_free_result(result);
	free(sql);
	return ok;
}

bool collations_read(MYSQL *mysql, struct collations *collations_r)
{
	for (size_t i = 0; i < COLLATION_COLUMNS; i++) {
		strcpy(collations_r->names[i], mum_collation);
		if (!read_column(mysql, i, collations_r->names[i]) &&
		    !is_missing(mysql_errno(mysql)))
			return false;
	}
	return true;
}

/* ---- filling ---- */

/* Of "utf8mb4_unicode_ci", "utf8mb4": the name of each collation begins so. */
static int charset_len(const char *collation)
{
	return (int)strcspn(collation, "_");
}

/* MUM's columns hold 191 characters, of four bytes at most. Caller frees. */
static char *type_text(const char *collation)
{
	if (strcmp(collation, "binary") == 0)
		return xstrdup("VARBINARY(764)");
	return xasprintf("VARCHAR(191) CHARACTER SET %.*s COLLATE %s",
			 charset_len(collation), collation, collation);
}

/* Caller frees. */
static char *name_text(const char *collation)
{
	if (strcmp(collation, "binary") == 0)
		return xstrdup("CONVERT(? USING binary)");
	return xasprintf("CONVERT(? USING %.*s) COLLATE %s", charset_len(collation),
			 collation, collation);
}

/* Puts text wherever "{WORD COLUMN}" stands. Takes over sql and text. */
static char *replace(char *sql, const char *word, const char *column, char *text)
{
	struct buf filled = BUF_INIT(STATEMENT_SIZE_MAX);
	char *marker = xasprintf("{%s %s}", word, column);
	const char *from = sql, *at;

	while ((at = strstr(from, marker)) != NULL) {
		buf_put(&filled, from, (size_t)(at - from));
		buf_puts(&filled, text);
		from = at + strlen(marker);
	}
	buf_puts(&filled, from);
	assert(!filled.failed);
	free(marker);
	free(text);
	free(sql);
	return buf_steal(&filled);
}

char *collations_fill(const struct collations *collations, const char *template)
{
	char *sql = xstrdup(template);

	for (size_t i = 0; i < COLLATION_COLUMNS; i++) {
		const char *collation = collations->names[i];

		sql = replace(sql, "type", columns[i].name, type_text(collation));
		sql = replace(sql, "name", columns[i].name, name_text(collation));
		sql = replace(sql, "collation", columns[i].name, xstrdup(collation));
	}
	return sql;
}
