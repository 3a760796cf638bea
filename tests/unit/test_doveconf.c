/* SPDX-License-Identifier: MIT */
/* The lines that doveconf of Dovecot 2.4 prints. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "mumctl/doveconf.h"

static struct doveconf *read_text(const char *text)
{
	struct doveconf *conf = doveconf_new();
	char *copy = xstrdup(text), *rest = copy, *line;

	while ((line = strsep(&rest, "\n")) != NULL)
		doveconf_add_line(conf, line);
	free(copy);
	return conf;
}

/* As 2.4.1 prints it. */
static const char printed[] =
	"# 2.4.1-4 (7d8c0e5759): /etc/dovecot/dovecot.conf\n"
	"# Hostname: mail.example.test = x\n"
	"dovecot_config_version = 2.4.1\n"
	"sql_driver = mysql\n"
	"mysql /run/mysqld/mysqld.sock {\n"
	"  dbname = mum\n"
	"  password = # hidden, use -P to show it\n"
	"}\n"
	"passdb sql {\n"
	"}\n"
	"passdb \"a = b {\" {\n"
	"  driver = sql\n"
	"}\n"
	"userdb sql {\n"
	"  fields {\n"
	"    \"a = b\" = x = y\n"
	"    empty = \n"
	"  }\n"
	"  mysql h2 {\n"
	"  }\n"
	"  query = \"SELECT \\'a # b\\' || \\\"x\\\\\\\\\\\" {\"\n"
	"}\n"
	"mail_plugins = a \"b\n";

static const struct {
	const char *section, *name, *value;
} settings[] = {
	{ "", "dovecot_config_version", "2.4.1" },
	{ "", "sql_driver", "mysql" },
	{ "", "mail_plugins", "a \"b" },
	{ "", "dbname", NULL },
	{ "", "# Hostname: mail.example.test", NULL },
	{ "mysql /run/mysqld/mysqld.sock", "dbname", "mum" },
	{ "passdb sql", "dbname", NULL },
	{ "passdb \"a = b {\"", "driver", "sql" },
	{ "userdb sql", "query", "SELECT 'a # b' || \"x\\\\\" {" },
	{ "userdb sql" DOVECONF_INNER "fields", "a = b", "x = y" },
	{ "userdb sql" DOVECONF_INNER "fields", "empty", "" },
	{ "userdb sql", "empty", NULL },
};

static void put(const char *text, void *arg)
{
	char *list = arg;
	size_t len = strlen(list);

	snprintf(list + len, 256 - len, "%s|", text);
}

static void put_setting(const char *name, const char *value, void *arg)
{
	put(name, arg);
	put(value, arg);
}

static void test_settings_in_sections(void **state)
{
	struct doveconf *conf = read_text(printed);
	char seen[256] = "";

	(void)state;
	FOR_EACH_ROW(row, settings)
		WANT_TEXT(row->name, doveconf_value(conf, row->section, row->name), row->value);
	doveconf_each_section(conf, put, seen);
	WANT_TEXT("sections", seen, "mysql /run/mysqld/mysqld.sock|passdb sql|"
				    "passdb \"a = b {\"|userdb sql|userdb sql\nfields|"
				    "userdb sql\nmysql h2|");
	seen[0] = '\0';
	doveconf_each_setting(conf, "userdb sql" DOVECONF_INNER "fields", put_setting, seen);
	WANT_TEXT("fields", seen, "a = b|x = y|empty||");
	doveconf_free(&conf);
	assert_null(conf);
}

static void test_a_section_that_goes_on_is_one(void **state)
{
	struct doveconf *conf = read_text("passdb a {\n}\nuserdb b {\n}\npassdb a {\n  x = y\n}\n");
	char seen[256] = "";

	(void)state;
	doveconf_each_section(conf, put, seen);
	WANT_TEXT("sections", seen, "passdb a|userdb b|");
	WANT_TEXT("x", doveconf_value(conf, "passdb a", "x"), "y");
	doveconf_free(&conf);
}

static void test_other_texts_do_no_harm(void **state)
{
	struct doveconf *conf = read_text("}\n}\n{\n {\n=\n = \n\"\n\"a\\\nx\n  y =z\n");

	(void)state;
	WANT_TEXT("y", doveconf_value(conf, "", "y"), "z");
	WANT_TEXT("x", doveconf_value(conf, "", "x"), NULL);
	doveconf_free(&conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_settings_in_sections),
		UNIT_TEST(test_a_section_that_goes_on_is_one),
		UNIT_TEST(test_other_texts_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
