/* SPDX-License-Identifier: MIT */
/* What Dovecot 2.4's settings say about how its sql driver asks. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "mumctl/compare/dovecot-conf.h"

static const char *read_text(const char *text, struct dovecot_sql *sql,
			     struct dovecot_conf *conf)
{
	struct doveconf *settings = doveconf_new();
	char *copy = xstrdup(text), *rest = copy, *line;
	const char *why;

	while ((line = strsep(&rest, "\n")) != NULL)
		doveconf_add_line(settings, line);
	free(copy);
	why = dovecot_conf_read(settings, sql, conf);
	doveconf_free(&settings);
	return why;
}

/* As "doveconf -P" of 2.4.1 prints it for dovecot_conf_names. */
static const char stock[] =
	"auth_username_format = %{user | lower}\n"
	"passdb sql {\n"
	"  default_password_scheme = BLF-CRYPT\n"
	"  query = SELECT 1\n"
	"}\n"
	"userdb sql {\n"
	"  fields {\n"
	"    gid = vmail\n"
	"    home = /x/%{sql:home}\n"
	"  }\n"
	"  iterate_query = SELECT 3\n"
	"  query = SELECT 2\n"
	"}\n"
	"sql_driver = mysql\n"
	"mysql /run/mysqld/mysqld.sock {\n"
	"  dbname = mum\n"
	"  password = secret\n"
	"  user = mum_dovecot\n"
	"}\n"
	"mysql_dbname = \n"
	"passdb_default_password_scheme = PLAIN\n"
	"passdb_fields = \n"
	"passdb_fields_import_all = yes\n"
	"passdb_sql_query = \n"
	"userdb_fields = \n"
	"userdb_fields_import_all = yes\n"
	"userdb_sql_iterate_query = \n"
	"userdb_sql_query = \n";

static void test_what_it_prints(void **state)
{
	struct dovecot_sql sql;
	struct dovecot_conf conf;

	(void)state;
	WANT_TEXT("readable", read_text(stock, &sql, &conf), NULL);
	WANT_TEXT("database", sql.database, "mum");
	WANT_TEXT("scheme", sql.default_pass_scheme, "BLF-CRYPT");
	WANT_TEXT("passdb", sql.password_query, "SELECT 1");
	WANT_TEXT("userdb", sql.user_query, "SELECT 2");
	WANT_TEXT("list", sql.iterate_query, "SELECT 3");
	WANT_TEXT("user", conf.username_format, "%{user | lower}");
	WANT("all", conf.passdb.import_all && conf.userdb.import_all);
	WANT_NUMBER("fields", conf.passdb.count, 0);
	assert_int_equal(conf.userdb.count, 2);
	WANT_TEXT("gid", conf.userdb.items[0].name, "gid");
	WANT_TEXT("home", conf.userdb.items[1].text, "/x/%{sql:home}");
	dovecot_sql_clear(&sql);
	dovecot_conf_clear(&conf);
}

#define MYSQL "sql_driver = mysql\nmysql h {\n  dbname = m\n}\n"
#define PASSDB "passdb sql {\n  query = P\n}\n"
#define USERDB "userdb sql {\n  query = U\n}\n"

static const struct {
	const char *name, *text;
	const char *why;	/* NULL: the rest holds */
	const char *database, *scheme, *password_query, *user_query;
} settings[] = {
	{ "defaults", MYSQL PASSDB USERDB, NULL, "m", "PLAIN", "P", "U" },
	{ "other names", MYSQL
	  "passdb a {\n  driver = sql\n  sql_query = P\n  passdb_default_password_scheme = S\n}\n"
	  "userdb b {\n  driver = sql\n  userdb_sql_query = U\n}\n", NULL, "m", "S", "P", "U" },
	{ "outside of blocks", MYSQL
	  "passdb sql {\n}\nuserdb sql {\n}\npassdb_sql_query = P\nuserdb_sql_query = U\n"
	  "passdb_default_password_scheme = S\n", NULL, "m", "S", "P", "U" },
	{ "a block counts more", MYSQL PASSDB USERDB "passdb_sql_query = Q\n", NULL, "m", "PLAIN",
	  "P", "U" },
	{ "passdbs of others", MYSQL "passdb passwd-file {\n  passwd_file_path = /x\n}\n"
	  "passdb sqlite {\n  driver = static\n}\n" PASSDB USERDB "userdb prefetch {\n}\n", NULL,
	  "m", "PLAIN", "P", "U" },
	{ "passdbs of no user", MYSQL
	  "passdb no {\n  deny = yes\n  driver = sql\n  query = N\n}\n" PASSDB
	  "passdb admin {\n  driver = sql\n  master = yes\n  query = A\n}\n" USERDB, NULL, "m",
	  "PLAIN", "P", "U" },
	{ "SQLite", "sql_driver = sqlite\nsqlite_path = /db\n" PASSDB USERDB, NULL, "/db", "PLAIN",
	  "P", "U" },
	{ "a database of each", "sql_driver = mysql\npassdb sql {\n  mysql h {\n    dbname = m\n"
	  "  }\n  query = P\n}\nuserdb sql {\n  mysql h {\n    dbname = m\n  }\n  query = U\n}\n",
	  NULL, "m", "PLAIN", "P", "U" },
	{ "a name for all servers", "sql_driver = mysql\nmysql h {\n}\nmysql_dbname = m\n" PASSDB
	  USERDB, NULL, "m", "PLAIN", "P", "U" },
	{ "another driver", "sql_driver = pgsql\npgsql h {\n  dbname = m\n}\n" PASSDB USERDB, NULL,
	  "", "PLAIN", "P", "U" },
	{ "nothing", "", "it has no passdb of the sql driver", NULL, NULL, NULL, NULL },
	{ "our own", "passdb mum {\n}\nuserdb mum {\n}\n", "it has no passdb of the sql driver",
	  NULL, NULL, NULL, NULL },
	{ "no userdb", MYSQL PASSDB, "it has no userdb of the sql driver", NULL, NULL, NULL, NULL },
	{ "of a protocol", MYSQL PASSDB "protocol lmtp {\n  userdb sql {\n    query = U\n  }\n}\n",
	  "it has no userdb of the sql driver", NULL, NULL, NULL, NULL },
	{ "two passdbs", MYSQL PASSDB "passdb x {\n  driver = sql\n}\n" USERDB,
	  "it has several passdbs of the sql driver", NULL, NULL, NULL, NULL },
	{ "two userdbs", MYSQL PASSDB USERDB "userdb x {\n  driver = sql\n}\n",
	  "it has several userdbs of the sql driver", NULL, NULL, NULL, NULL },
	{ "two databases", MYSQL PASSDB "userdb sql {\n  mysql h {\n    dbname = n\n  }\n"
	  "  query = U\n}\n", "its passdb and its userdb ask different databases", NULL, NULL, NULL,
	  NULL },
	{ "no query", MYSQL "passdb sql {\n}\n" USERDB,
	  "its passdb or its userdb of the sql driver has no query", NULL, NULL, NULL, NULL },
	{ "a hidden end", MYSQL "passdb sql {\n  query = SELECT x WHERE password =\n}\n" USERDB,
	  "something is hidden in it; save it with doveconf -nP", NULL, NULL, NULL, NULL },
	{ "a hidden field", MYSQL "passdb sql {\n  fields {\n    password = \n  }\n  query = P\n}\n"
	  USERDB, "something is hidden in it; save it with doveconf -nP", NULL, NULL, NULL, NULL },
};

static void test_settings(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, settings) {
		struct dovecot_sql sql;
		struct dovecot_conf conf;
		const char *why = read_text(row->text, &sql, &conf);

		WANT_TEXT(row->name, why, row->why);
		if (row->why == NULL) {
			WANT_TEXT(row->name, sql.database, row->database);
			WANT_TEXT(row->name, sql.default_pass_scheme, row->scheme);
			WANT_TEXT(row->name, sql.password_query, row->password_query);
			WANT_TEXT(row->name, sql.user_query, row->user_query);
		}
		dovecot_sql_clear(&sql);
		dovecot_conf_clear(&conf);
	}
}

static void test_fields_of_all_and_of_a_block(void **state)
{
	struct dovecot_sql sql;
	struct dovecot_conf conf;

	(void)state;
	WANT_TEXT("readable", read_text(MYSQL PASSDB
		"userdb sql {\n  fields {\n    home = /b\n  }\n  fields_import_all = no\n"
		"  query = U\n}\nuserdb_fields {\n  home = /a\n}\npassdb_fields_import_all = no\n",
		&sql, &conf), NULL);
	WANT("none", !conf.passdb.import_all && !conf.userdb.import_all);
	assert_int_equal(conf.userdb.count, 2);
	WANT_TEXT("first", conf.userdb.items[0].text, "/a");
	WANT_TEXT("last", conf.userdb.items[1].text, "/b");
	dovecot_sql_clear(&sql);
	dovecot_conf_clear(&conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_what_it_prints),
		UNIT_TEST(test_settings),
		UNIT_TEST(test_fields_of_all_and_of_a_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
