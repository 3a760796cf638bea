/* SPDX-License-Identifier: MIT */
/* What Dovecot 2.4's variables stand for, in fields and in queries. */
#include "tests/unit/unit.h"

#include "mumctl/compare/dovecot-vars.h"

/* The row has %{sql:home}. */
static const char *column(const char *name, void *arg)
{
	(void)arg;
	return strcmp(name, "home") == 0 ? "/h/@x" : NULL;
}

static const struct {
	const char *text, *user;
	enum dovecot_expanded result;
	const char *expanded;	/* with EXPANDED */
} texts[] = {
	{ "", "a@b", EXPANDED, "" },
	{ "plain", "a@b", EXPANDED, "plain" },
	{ "%{user}", "A@b", EXPANDED, "A@b" },
	{ "%{owner_user}", "A@b", EXPANDED, "A@b" },
	{ "<%{user}-%{user}>", "a@b", EXPANDED, "<a@b-a@b>" },
	{ "%{user|username}", "a@b", EXPANDED, "a" },
	{ "%{ user\t|  username }", "a@b", EXPANDED, "a" },
	{ "%{user | domain}", "a@b", EXPANDED, "b" },
	{ "%{user | domain}", "a@b@c", EXPANDED, "b@c" },
	{ "%{user | domain}", "a@", EXPANDED, "" },
	{ "%{user | username}", "a@b@c", EXPANDED, "a" },
	{ "%{user | username}", "a", EXPANDED, "a" },
	{ "%{user | lower}", "A\xc3\x84@B", EXPANDED, "a\xc3\x84@b" },
	{ "%{user | upper}", "a\xc3\xa4@z", EXPANDED, "A\xc3\xa4@Z" },
	{ "%{user | username | upper}", "a@b", EXPANDED, "A" },
	{ "%{user | domain | domain}", "a@b@c", EXPANDED, "c" },
	{ "%{sql:home}/mail", "a@b", EXPANDED, "/h/@x/mail" },
	{ "%{sql:home | domain}", "a@b", EXPANDED, "x" },
	/* a percent sign is one, and a doubled one before a brace is no variable */
	{ "100%", "a@b", EXPANDED, "100%" },
	{ "%u %% %n", "a@b", EXPANDED, "%u %% %n" },
	{ "%%{user}", "a@b", EXPANDED, "%{user}" },
	{ "%%%{user}", "a@b", EXPANDED, "%%{user}" },
	{ "{user}", "a@b", EXPANDED, "{user}" },
	/* no value */
	{ "%{user | domain}", "a", EXPAND_UNSET, NULL },
	{ "%{user | domain | upper}", "a", EXPAND_UNSET, NULL },
	{ "x%{sql:mail}", "a@b", EXPAND_UNSET, NULL },
	/* what we do not know */
	{ "%{protocol}", "a@b", EXPAND_UNKNOWN, NULL },
	{ "%{User}", "a@b", EXPAND_UNKNOWN, NULL },
	{ "%{userdb:home}", "a@b", EXPAND_UNKNOWN, NULL },
	{ "%{user | sha256}", "a@b", EXPAND_UNKNOWN, NULL },
	{ "%{user | domain | sha256}", "a", EXPAND_UNKNOWN, NULL },
	{ "%{user | default('x')}", "a@b", EXPAND_UNKNOWN, NULL },
	{ "%{user | lower()}", "a@b", EXPAND_UNKNOWN, NULL },
	{ "%{user + 1}", "a@b", EXPAND_UNKNOWN, NULL },
	{ "%{user username}", "a@b", EXPAND_UNKNOWN, NULL },
	{ "%{user |}", "a@b", EXPAND_UNKNOWN, NULL },
	{ "%{lower}", "a@b", EXPAND_UNKNOWN, NULL },
	{ "%{}", "a@b", EXPAND_UNKNOWN, NULL },
	{ "%{", "a@b", EXPAND_UNKNOWN, NULL },
	{ "%{user", "a@b", EXPAND_UNKNOWN, NULL },
	{ "%{user | ", "a@b", EXPAND_UNKNOWN, NULL },
};

static void test_texts(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, texts) {
		const struct dovecot_vars vars = { row->user, column, NULL };
		struct buf out = BUF_INIT(1024);
		enum dovecot_expanded result = dovecot_expand(&out, row->text, &vars);
		char *text = buf_steal(&out);

		WANT_NUMBER(row->text, result, row->result);
		if (result == EXPANDED)
			WANT_TEXT(row->text, text, row->expanded);
		free(text);
	}
}

static void test_a_query_has_no_columns_yet(void **state)
{
	const struct dovecot_vars vars = { .user = "a@b" };
	struct buf out = BUF_INIT(1024);

	(void)state;
	assert_int_equal(dovecot_expand(&out, "%{sql:home}", &vars), EXPAND_UNKNOWN);
	buf_free(&out);
}

static const struct {
	const char *query, *user;
	enum dovecot_expanded result;
	const char *sql;	/* with EXPANDED */
} queries[] = {
	{ "SELECT 1", "a@b", EXPANDED, "SELECT 1" },
	{ "SELECT 1; ", "a@b", EXPANDED, "SELECT 1" },
	{ "", "a@b", EXPAND_UNKNOWN, NULL },
	{ ";", "a@b", EXPAND_UNKNOWN, NULL },
	{ "x = '%{user}'", "a@b", EXPANDED, "x = _utf8mb4 X'614062'" },
	{ "x = \"%{user | domain}\"", "a@b", EXPANDED, "x = _utf8mb4 X'62'" },
	{ "x = '<%{user|username}>' AND y = 'z'", "a@b", EXPANDED,
	  "x = _utf8mb4 X'3c613e' AND y = 'z'" },
	{ "x = '%{user}'", "'; DROP", EXPANDED, "x = _utf8mb4 X'273b2044524f50'" },
	{ "x = '%{user}'", "%{user}", EXPANDED, "x = _utf8mb4 X'257b757365727d'" },
	{ "x LIKE 'a%' AND 5 % 3", "a@b", EXPANDED, "x LIKE 'a%' AND 5 % 3" },
	{ "x LIKE '%%{%{user}'", "a@b", EXPANDED, "x LIKE _utf8mb4 X'257b614062'" },
	/* strings without variables stay as they are */
	{ "x = 'it''s' OR x = 'it\\'s' OR x = \"'\"", "a@b", EXPANDED,
	  "x = 'it''s' OR x = 'it\\'s' OR x = \"'\"" },
	{ "x = '' AND y = '%{user}'", "a@b", EXPANDED, "x = '' AND y = _utf8mb4 X'614062'" },
	/* no value, as above */
	{ "x = '%{user | domain}'", "a", EXPAND_UNSET, NULL },
	/* what we do not know */
	{ "x = %{user}", "a@b", EXPAND_UNKNOWN, NULL },
	{ "x = '%{protocol}'", "a@b", EXPAND_UNKNOWN, NULL },
	{ "x = '%{user | default('y')}'", "a@b", EXPAND_UNKNOWN, NULL },
	{ "x = 'it\\'s %{user}'", "a@b", EXPAND_UNKNOWN, NULL },
	{ "x = '%{user}\\n'", "a@b", EXPAND_UNKNOWN, NULL },
	{ "x = 'it''s %{user}'", "a@b", EXPAND_UNKNOWN, NULL },
	{ "x = '%{user}'''", "a@b", EXPAND_UNKNOWN, NULL },
	{ "x = '\\%{user}'", "a@b", EXPAND_UNKNOWN, NULL },
	{ "x = '%{user}", "a@b", EXPAND_UNKNOWN, NULL },
	{ "x = 'y", "a@b", EXPAND_UNKNOWN, NULL },
	{ "x = 'y\\", "a@b", EXPAND_UNKNOWN, NULL },
};

static void test_queries(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, queries) {
		const struct dovecot_vars vars = { .user = row->user };
		char *sql;

		WANT_NUMBER(row->query, dovecot_expand_query(row->query, &vars, false, &sql),
			    row->result);
		WANT_TEXT(row->query, sql, row->sql);
		free(sql);
	}
}

static void test_sqlite_has_other_literals(void **state)
{
	const struct dovecot_vars vars = { .user = "a@b" };
	char *sql;

	(void)state;
	/* a backslash is none but itself there */
	assert_int_equal(dovecot_expand_query("x = '%{user}' OR y = '\\'", &vars, true, &sql),
			 EXPANDED);
	assert_string_equal(sql, "x = CAST(X'614062' AS TEXT) OR y = '\\'");
	free(sql);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_texts),
		UNIT_TEST(test_a_query_has_no_columns_yet),
		UNIT_TEST(test_queries),
		UNIT_TEST(test_sqlite_has_other_literals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
