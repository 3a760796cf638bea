/* SPDX-License-Identifier: MIT */
/* What a writer may do to an SQLite file: insert into one table; and values of statements. */
#include "tests/unit/unit.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/inspect.h"
#include "tests/unit/scratch.h"

static struct scratch scratch;
static struct mum_config config;
static char *path;

static int setup(void **state)
{
	sqlite3 *db;

	(void)state;
	scratch_init(&scratch);
	path = scratch_file(&scratch, "mum.sqlite", 0600, "", 0);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				      "CREATE TABLE mailboxes (id INTEGER);"
				      "INSERT INTO mailboxes VALUES (1);"
				      "CREATE TABLE size_measurements (id INTEGER PRIMARY KEY "
				      "AUTOINCREMENT, size INTEGER)", NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	config.database.driver = MUM_DRIVER_SQLITE;
	config.database.path = path;
	config.database.deadline = 100;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(path);
	scratch_free(&scratch);
	return 0;
}

static const struct {
	const char *sql;
	bool writer, reader;	/* may it? */
} statements[] = {
	{ "BEGIN", true, true },
	{ "INSERT INTO size_measurements (size) VALUES (1), (2)", true, false },
	{ "INSERT INTO size_measurements (size) SELECT id FROM mailboxes", false, false },
	{ "INSERT INTO mailboxes VALUES (2)", false, false },
	{ "UPDATE size_measurements SET size = 3", false, false },
	{ "DELETE FROM size_measurements", false, false },
	{ "DROP TABLE size_measurements", false, false },
	{ "CREATE TABLE others (id INTEGER)", false, false },
	{ "SELECT id FROM mailboxes", false, true },
	{ "SELECT size FROM size_measurements", false, true },
	{ "PRAGMA user_version", false, true },
	{ "ATTACH '/dev/null' AS other", false, true },
	{ "COMMIT", true, true },
};

static void test_statements(void **state)
{
	struct inspect_error error;
	struct inspect *writer = inspect_open_writer(&config, 0, &error);
	struct inspect *reader = inspect_open(&config, 0, &error);

	(void)state;
	assert_non_null(writer);
	assert_non_null(reader);
	FOR_EACH_ROW(row, statements)
		WANT(row->sql, inspect_query(writer, row->sql, NULL, NULL, &error) == row->writer);
	FOR_EACH_ROW(row, statements)
		WANT(row->sql, inspect_query(reader, row->sql, NULL, NULL, &error) == row->reader);
	inspect_close(&writer);
	inspect_close(&reader);
}

static void on_sum(const struct column *columns, void *arg)
{
	*(char *)arg = columns[0].data[0];
}

static void test_rows_are_there(void **state)
{
	struct inspect_error error;
	struct inspect *reader = inspect_open(&config, 0, &error);
	char sum = '?';

	(void)state;
	assert_non_null(reader);
	WANT("read", inspect_query(reader, "SELECT SUM(size) FROM size_measurements", on_sum, &sum,
				   &error));
	WANT_NUMBER("1 + 2", sum, '3');
	inspect_close(&reader);
}

/* A value is never SQL, and the next statement does not get it. */
static const struct {
	const char *name, *values[2];
	const char *found;	/* the row, joined; NULL: none */
} bound[] = {
	{ "two", { "a", "b" }, "a|b" },
	{ "a quote and a comment", { "' OR 1=1 --", "\"" }, "' OR 1=1 --|\"" },
	{ "empty", { "", "b" }, "|b" },
	{ "a mark", { "?", "?2" }, "?|?2" },
	{ "none", { "no", "b" }, NULL },
};

static void on_row(const struct column *columns, void *arg)
{
	snprintf(arg, 64, "%s|%s", columns[0].data, columns[1].data);
}

static void test_values_are_bound(void **state)
{
	struct inspect_error error;
	struct inspect *reader = inspect_open(&config, 0, &error);

	(void)state;
	FOR_EACH_ROW(row, bound) {
		char found[64] = "-";

		WANT(row->name, inspect_ask(reader, "SELECT ?1, ?2 WHERE ?1 <> 'no'", row->values,
					    2, on_row, found, &error));
		WANT_TEXT(row->name, found, row->found != NULL ? row->found : "-");
	}
	WANT("no such table", !inspect_ask(reader, "SELECT id FROM nowhere WHERE id = ?",
					   bound[0].values, 1, NULL, NULL, &error) &&
				      error.trouble == INSPECT_MISSING);
	inspect_close(&reader);
}

/* Nobody waits for a statement whose rows are not wanted any more. */
static void test_a_reader_is_closed_before_its_rows(void **state)
{
	struct inspect_error error;
	struct inspect *reader = inspect_open(&config, 0, &error);

	(void)state;
	WANT("begun", inspect_begin(reader, "SELECT ?1, ?2", bound[0].values, 2, &error));
	inspect_close(&reader);
}

static void on_name(const char *name, void *arg)
{
	char *names = arg;
	size_t len = strlen(names);

	snprintf(names + len, 64 - len, "%s ", name);
}

static void test_columns_have_names(void **state)
{
	struct inspect_error error;
	struct inspect *reader = inspect_open(&config, 0, &error);
	char names[64] = "";

	(void)state;
	WANT("no rows", inspect_columns(reader, "SELECT id AS \"One\", 2 AS two FROM mailboxes "
						"WHERE id = 0", on_name, names, &error));
	WANT_TEXT("in their order", names, "One two ");
	names[0] = '\0';
	WANT("no such table", !inspect_columns(reader, "SELECT id FROM nowhere", on_name, names,
					       &error) && error.trouble == INSPECT_MISSING);
	WANT_TEXT("none", names, "");
	inspect_close(&reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_statements),
		UNIT_TEST(test_values_are_bound),
		UNIT_TEST(test_a_reader_is_closed_before_its_rows),
		UNIT_TEST(test_columns_have_names),
		UNIT_TEST(test_rows_are_there),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
