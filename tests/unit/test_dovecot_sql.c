/* SPDX-License-Identifier: MIT */
/* What Dovecot's SQL file says, and how its queries are filled in for a user. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "common/xalloc.h"
#include "mumctl/compare/dovecot-sql.h"

static struct dovecot_sql read_text(const char *text)
{
	struct dovecot_sql sql;
	FILE *file = tmpfile();

	assert_non_null(file);
	fputs(text, file);
	rewind(file);
	dovecot_sql_read(file, &sql);
	fclose(file);
	return sql;
}

static void test_the_file_of_mums_manual(void **state)
{
	struct dovecot_sql sql = read_text(
		"# a comment = none\n"
		"driver = mysql\n"
		"connect = \"host=127.0.0.1 dbname=mum user=x password=secret\"\n"
		"default_pass_scheme = BLF-CRYPT\n"
		"password_query = SELECT local_part AS username, \\\n"
		"  domain, password FROM t WHERE a = '%n'\n"
		"  user_query=SELECT 1\n"
		"iterate_query = SELECT 2;\n"
		"other_query = SELECT 3");

	(void)state;
	assert_string_equal(sql.database, "mum");
	assert_string_equal(sql.default_pass_scheme, "BLF-CRYPT");
	assert_string_equal(sql.password_query, "SELECT local_part AS username,  domain, password "
						"FROM t WHERE a = '%n'");
	assert_string_equal(sql.user_query, "SELECT 1");
	assert_string_equal(sql.iterate_query, "SELECT 2;");
	dovecot_sql_clear(&sql);
}

static void test_connect_lines(void **state)
{
	static const struct {
		const char *text, *database;
	} cases[] = {
		{ "", "" },
		{ "connect = dbname=a", "a" },
		{ "connect = dbname=a user=b", "a" },
		{ "connect = host=h password=dbname", "" },
		{ "connect = /var/lib/mum/mum.sqlite", "/var/lib/mum/mum.sqlite" },
	};

	(void)state;
	FOR_EACH_ROW(row, cases) {
		struct dovecot_sql sql = read_text(row->text);

		WANT_TEXT(row->text, sql.database, row->database);
		WANT_TEXT(row->text, sql.default_pass_scheme, "MD5");
		dovecot_sql_clear(&sql);
	}
}

/* NULL: the query cannot be asked. */
static const struct {
	const char *query, *user, *sql;
} queries[] = {
	{ "SELECT 1", "a@b", "SELECT 1" },
	{ "SELECT 1; ", "a@b", "SELECT 1" },
	{ "", "a@b", NULL },
	{ ";", "a@b", NULL },
	{ "x = '%n'", "a@b", "x = _utf8mb4 X'61'" },
	{ "x = \"%d\"", "a@b", "x = _utf8mb4 X'62'" },
	{ "x = '%u' AND y = 'z'", "a@b", "x = _utf8mb4 X'614062' AND y = 'z'" },
	{ "x = '%Lu'", "A@b", "x = _utf8mb4 X'614062'" },
	{ "x = '%n@%d'", "a@b@c", "x = _utf8mb4 X'61406240" "63'" },
	{ "x = '%d'", "a", "x = _utf8mb4 X''" },
	{ "x = '%n'", "'; DROP", "x = _utf8mb4 X'273b2064726f70'" },
	{ "x LIKE 'a%%'", "a@b", "x LIKE _utf8mb4 X'6125'" },
	{ "CONCAT('*:storage=', y)", "a@b", "CONCAT('*:storage=', y)" },
	{ "x = 'it\\'s %n'", "a@b", "x = _utf8mb4 X'69745c27732061'" },
	{ "x = %n", "a@b", NULL },
	{ "x = '%w'", "a@b", NULL },
	{ "x = '%{user}'", "a@b", NULL },
	{ "x LIKE 'a%'", "a@b", NULL },
	{ "x = '%", "a@b", NULL },
};

static void test_queries(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, queries) {
		char *sql = dovecot_sql_for_user(row->query, row->user, false);

		WANT_TEXT(row->query, sql, row->sql);
		free(sql);
	}
}

static void test_sqlite_has_another_literal(void **state)
{
	char *sql = dovecot_sql_for_user("x = '%n'", "a@b", true);

	(void)state;
	assert_string_equal(sql, "x = CAST(X'61' AS TEXT)");
	free(sql);
}

static void test_schemes(void **state)
{
	static const struct {
		const char *scheme, *hash;
		bool known, verifies;
	} cases[] = {
		{ "BLF-CRYPT", "$2y$10$x", true, true },
		{ "blf-crypt", "$2y$10$x", true, true },
		{ "BLF-CRYPT", "$6$x", true, false },
		{ "BLF-CRYPT", "$argon2id$x", true, false },
		{ "SHA512-CRYPT", "$6$x", true, true },
		{ "CRYPT", "$2y$10$x", true, true },
		{ "CRYPT", "$y$x", true, true },
		{ "CRYPT", "$argon2id$x", true, false },
		{ "ARGON2ID", "$argon2id$x", true, true },
		{ "ARGON2I", "$argon2id$x", true, false },
		{ "MD5", "$1$x", false, false },
		{ "PLAIN", "secret", false, false },
	};

	(void)state;
	FOR_EACH_ROW(row, cases) {
		bool known;

		WANT_NUMBER(row->hash, dovecot_sql_verifies(row->scheme, row->hash, &known),
			    row->verifies);
		WANT_NUMBER(row->scheme, known, row->known);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_the_file_of_mums_manual),
		UNIT_TEST(test_connect_lines),
		UNIT_TEST(test_queries),
		UNIT_TEST(test_sqlite_has_another_literal),
		UNIT_TEST(test_schemes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
