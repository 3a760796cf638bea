/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "common/store-mariadb/errors.h"

struct row {
	const char *name;
	unsigned number;
	enum error_class want;
};

/* The class is the same before and after the connect. */
static void check(const struct row *row)
{
	WANT_NUMBER(row->name, error_classify(row->number, false), row->want);
	WANT_NUMBER(row->name, error_classify(row->number, true), row->want);
}

static void test_another_try_may_succeed(void **state)
{
	static const struct row rows[] = {
		{ "no error number of a server", 0, ERROR_RETRY },
		{ "an unknown number", 9999, ERROR_RETRY },
		{ "a number of a future server", 65535, ERROR_RETRY },
		{ "the largest", 4294967295U, ERROR_RETRY },
		{ "deadlock", 1213, ERROR_RETRY },
		{ "lock wait timeout", 1205, ERROR_SLOW },
		{ "statement timeout", 1969, ERROR_SLOW },
		{ "statement interrupted", 1317, ERROR_RETRY },
		{ "too many connections", 1040, ERROR_CROWDED },
		{ "too many of this user", 1203, ERROR_CROWDED },
		{ "resource limit of this user", 1226, ERROR_CROWDED },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		check(row);
}

static void test_somebody_must_mend_it(void **state)
{
	static const struct row rows[] = {
		{ "access denied to the database", 1044, ERROR_MISCONFIGURED },
		{ "access denied", 1045, ERROR_MISCONFIGURED },
		{ "TLS is required", 3159, ERROR_MISCONFIGURED },
		{ "unknown database", 1049, ERROR_MISCONFIGURED },
		{ "unknown column", 1054, ERROR_MISCONFIGURED },
		{ "syntax", 1064, ERROR_MISCONFIGURED },
		{ "host not allowed", 1130, ERROR_MISCONFIGURED },
		{ "no grant on the table", 1142, ERROR_MISCONFIGURED },
		{ "no grant on the column", 1143, ERROR_MISCONFIGURED },
		{ "no such table", 1146, ERROR_MISCONFIGURED },
		{ "a session that changes answers", ERROR_SESSION, ERROR_MISCONFIGURED },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		check(row);
}

static void test_the_connection_is_of_no_use(void **state)
{
	static const struct row rows[] = {
		{ "outside the cluster", 1047, ERROR_OUTSIDE },
		{ "shutdown", 1053, ERROR_OUTSIDE },
		{ "killed", 1927, ERROR_LOST },
		{ "cannot connect, socket", 2002, ERROR_LOST },
		{ "cannot connect, host", 2003, ERROR_LOST },
		{ "gone away", 2006, ERROR_LOST },
		{ "lost in the query", 2013, ERROR_LOST },
		{ "commands out of sync", 2014, ERROR_LOST },
		{ "columns changed", 2057, ERROR_LOST },
		{ "another character set than the collation's", 1253, ERROR_LOST },
		{ "a statement whose columns were altered", 1690, ERROR_LOST },
		{ "illegal mix of collations", 1267, ERROR_LOST },
		{ "illegal mix of three", 1270, ERROR_LOST },
		{ "illegal mix of many", 1271, ERROR_LOST },
		{ "idle too long", 4031, ERROR_LOST },
		{ "in a transaction", ERROR_TRANSACTION, ERROR_LOST },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		check(row);
}

/* The connection was refused, or a record was damaged on the way. */
static void test_tls(void **state)
{
	(void)state;
	WANT_NUMBER("while it connects", error_classify(2026, false), ERROR_MISCONFIGURED);
	WANT_NUMBER("in a statement", error_classify(2026, true), ERROR_LOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_another_try_may_succeed),
		UNIT_TEST(test_somebody_must_mend_it),
		UNIT_TEST(test_the_connection_is_of_no_use),
		UNIT_TEST(test_tls),
	};

	return cmocka_run_group_tests_name("errors", tests, NULL, NULL);
}
