/* SPDX-License-Identifier: MIT */
#include "common/inspect.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

struct inspect_sqlite {
	struct inspect inspect;	/* first: the inspect_ops cast to inspect_sqlite */
	sqlite3 *db;
	sqlite3_stmt *stmt;	/* that has begun; or NULL */
};

static void set_error(struct inspect_error *error, const char *text)
{
	error->trouble = strncmp(text, "no such ", 8) == 0 ? INSPECT_MISSING : INSPECT_OTHER;
	snprintf(error->text, sizeof(error->text), "%s", text);
}

static void give_row(sqlite3_stmt *stmt, inspect_row_fn *fn, void *arg)
{
	struct column columns[INSPECT_COLUMNS_MAX];
	int count = sqlite3_column_count(stmt);

	for (int i = 0; i < count && i < INSPECT_COLUMNS_MAX; i++) {
		columns[i].data = (const char *)sqlite3_column_text(stmt, i);
		columns[i].len = (size_t)sqlite3_column_bytes(stmt, i);
	}
	fn(columns, arg);
}

/* Returns good. */
static bool end(struct inspect_sqlite *inspect, bool good, struct inspect_error *error_r)
{
	if (!good)
		set_error(error_r, sqlite3_errmsg(inspect->db));
	sqlite3_finalize(inspect->stmt);
	inspect->stmt = NULL;
	return good;
}

static bool begin(struct inspect *_inspect, const char *sql, const char *const *values,
		  size_t count, struct inspect_error *error_r)
{
	struct inspect_sqlite *inspect = (struct inspect_sqlite *)_inspect;
	int result;

	assert(inspect->stmt == NULL);
	result = sqlite3_prepare_v2(inspect->db, sql, -1, &inspect->stmt, NULL);
	for (size_t i = 0; i < count && result == SQLITE_OK; i++)
		result = sqlite3_bind_text(inspect->stmt, (int)i + 1, values[i], -1,
					   SQLITE_STATIC);
	return result == SQLITE_OK || end(inspect, false, error_r);
}

static bool rows(struct inspect *_inspect, inspect_row_fn *fn, void *arg,
		 struct inspect_error *error_r)
{
	struct inspect_sqlite *inspect = (struct inspect_sqlite *)_inspect;
	int result;

	while ((result = sqlite3_step(inspect->stmt)) == SQLITE_ROW) {
		if (fn != NULL)
			give_row(inspect->stmt, fn, arg);
	}
	return end(inspect, result == SQLITE_DONE, error_r);
}

static bool query(struct inspect *inspect, const char *sql, inspect_row_fn *fn, void *arg,
		  struct inspect_error *error_r)
{
	return begin(inspect, sql, NULL, 0, error_r) && rows(inspect, fn, arg, error_r);
}

static bool columns(struct inspect *_inspect, const char *sql, inspect_name_fn *fn, void *arg,
		    struct inspect_error *error_r)
{
	struct inspect_sqlite *inspect = (struct inspect_sqlite *)_inspect;
	sqlite3_stmt *stmt = NULL;
	int result = sqlite3_prepare_v2(inspect->db, sql, -1, &stmt, NULL);

	for (int i = 0; i < sqlite3_column_count(stmt); i++)
		fn(sqlite3_column_name(stmt, i), arg);
	if (result != SQLITE_OK)
		set_error(error_r, sqlite3_errmsg(inspect->db));
	sqlite3_finalize(stmt);
	return result == SQLITE_OK;
}

static void close_file(struct inspect *_inspect)
{
	struct inspect_sqlite *inspect = (struct inspect_sqlite *)_inspect;

	sqlite3_finalize(inspect->stmt);
	sqlite3_close(inspect->db);
	free(inspect);
}

static const struct inspect_ops ops = { query, begin, rows, columns, close_file };

/* What a writer's statement may do; in MariaDB the grants of its user say so. */
static int authorize(void *unused, int action, const char *first, const char *second,
		     const char *database, const char *trigger)
{
	(void)unused;
	(void)second;
	(void)database;
	(void)trigger;
	/* Several VALUES count as a SELECT. To read a table SQLITE_READ is needed, too. */
	if (action == SQLITE_TRANSACTION || action == SQLITE_SELECT ||
	    (action == SQLITE_INSERT && strcmp(first, "size_measurements") == 0))
		return SQLITE_OK;
	return SQLITE_DENY;
}

struct inspect *inspect_sqlite_open(const struct mum_config *config, bool writes,
				    struct inspect_error *error_r)
{
	struct inspect_sqlite *inspect = xcalloc(1, sizeof(*inspect));

	inspect->inspect.ops = &ops;
	if (sqlite3_open_v2(config->database.path, &inspect->db,
			    writes ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY,
			    NULL) != SQLITE_OK) {
		set_error(error_r, sqlite3_errmsg(inspect->db));
		close_file(&inspect->inspect);
		return NULL;
	}
	sqlite3_busy_timeout(inspect->db, (int)config->database.deadline);
	if (writes)
		sqlite3_set_authorizer(inspect->db, authorize, NULL);
	return &inspect->inspect;
}
