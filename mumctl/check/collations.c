/* SPDX-License-Identifier: MIT */
/* Collations of the columns that MariaDB compares with the name in a question. */
#include "mumctl/check/check.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

/* What MUM's own migrations make. */
#define WANTED "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"

/* The four columns that mumd and the Dovecot module compare. */
#define COLUMNS_SQL \
	"SELECT table_name, column_name, collation_name, @@collation_database," \
	" DATABASE() FROM information_schema.columns" \
	" WHERE table_schema = DATABASE() AND (table_name, column_name) IN" \
	" (('domains', 'domain'), ('mailboxes', 'local_part')," \
	" ('aliases', 'local_part'), ('tls_policies', 'domain'))" \
	" ORDER BY table_name"

enum { ROW_TABLE, ROW_COLUMN, ROW_COLLATION, ROW_DEFAULT, ROW_DATABASE };

struct collations {
	const struct check *check;
	char *collation;	/* of domains.domain */
	char *preset;		/* of the database */
	char *database;
	char *local_part;	/* see check_collations() */
};

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static bool is_utf8mb4(const char *collation)
{
	/* For uca1400 the server does not name the character set. */
	return strncmp(collation, "utf8mb4_", 8) == 0 || strncmp(collation, "uca1400_", 8) == 0;
}

static const char *fault_of(const char *collation)
{
	if (!is_utf8mb4(collation))
		return "names with other letters than its character set has are not found";
	if (ends_with(collation, "_bin") || ends_with(collation, "_cs"))
		return "a name that is typed in another case is not found";
	return NULL;
}

static void on_column(const struct column *columns, void *arg)
{
	struct collations *it = arg;
	const char *table = columns[ROW_TABLE].data;
	const char *collation = columns[ROW_COLLATION].data;

	if (table == NULL || columns[ROW_COLUMN].data == NULL)
		return;
	if (collation == NULL)
		collation = "binary";
	if (fault_of(collation) != NULL)
		report_add(it->check->report, LEVEL_ERROR, "collation-unfit",
			   report_text(it->check->report, "%s.%s", table, columns[ROW_COLUMN].data),
			   report_text(it->check->report, "ALTER TABLE %s CONVERT TO " WANTED, table),
			   "its collation is %s: %s", collation, fault_of(collation));
	if (strcmp(table, "mailboxes") == 0 && strncmp(collation, "utf8mb4_", 8) == 0 &&
	    collation[strspn(collation, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0')
		it->local_part = xstrdup(collation);	/* its only row */
	if (strcmp(table, "domains") == 0 && columns[ROW_DEFAULT].data != NULL &&
	    columns[ROW_DATABASE].data != NULL) {
		free(it->collation);
		it->collation = xstrdup(collation);
		it->preset = xstrdup(columns[ROW_DEFAULT].data);
		it->database = xstrdup(columns[ROW_DATABASE].data);
	}
}

/* This concerns no existing table, but the next one that a migration makes. */
static void check_default(const struct collations *it)
{
	struct report *report = it->check->report;

	if (it->preset != NULL && strcmp(it->preset, it->collation) != 0)
		report_add(report, LEVEL_NOTE, "collation-default", it->database,
			   report_text(report, "ALTER DATABASE `%s` " WANTED, it->database),
			   "the database's default collation is %s, that of its tables %s: a new "
			   "table would get the former", it->preset, it->collation);
}

char *check_collations(const struct check *check)
{
	struct collations it = { .check = check };

	if (check_is_sqlite(check))
		return NULL;
	if (check_query(check, COLUMNS_SQL, on_column, &it))
		check_default(&it);
	free(it.collation);
	free(it.preset);
	free(it.database);
	return it.local_part;
}
