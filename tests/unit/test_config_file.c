/* SPDX-License-Identifier: MIT */
/* The syntax of mum.conf, whatever its options mean. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "common/buf.h"
#include "common/config-file.h"
#include "common/xalloc.h"
#include "tests/unit/scratch.h"

static struct scratch scratch;

static int make_scratch(void **state)
{
	(void)state;
	scratch_init(&scratch);
	return setenv("CONFIG_TEST", "some value", 1);
}

static int drop_scratch(void **state)
{
	(void)state;
	scratch_free(&scratch);
	return 0;
}

static const struct config_name names[] = {
	{ "kitchen", "colour" }, { "kitchen", "password" }, { "cellar", "colour" },
};

/* Appends the result: "|LINE section.name=[item][item]" or "|LINE error". */
static void on_setting(const struct config_setting *setting, void *arg)
{
	struct buf *seen = arg;

	buf_printf(seen, "|%u %s.%s=", setting->line, names[setting->option].section,
		   names[setting->option].name);
	for (size_t i = 0; i < setting->count; i++)
		buf_printf(seen, "[%s]", setting->items[i]);
}

static void on_error(unsigned line, const char *text, void *arg)
{
	buf_printf(arg, "|%u %s", line, text);
}

/* Caller frees. */
static char *read_text(const char *text, bool *ok_r)
{
	char *path = scratch_file(&scratch, "mum.conf", 0600, text, strlen(text));
	struct buf seen = BUF_INIT(65536);

	*ok_r = config_file_read(path, names, sizeof(names) / sizeof(names[0]), on_setting,
				 on_error, &seen);
	free(path);
	return buf_steal(&seen);
}

struct row {
	const char *name, *text, *want;
};

static void check(const struct row *row, bool want_ok)
{
	bool ok;
	char *seen = read_text(row->text, &ok);

	WANT(row->name, ok == want_ok);
	WANT_TEXT(row->name, seen, row->want);
	free(seen);
}

static void test_values(void **state)
{
	static const struct row rows[] = {
		{ "nothing", "", "" },
		{ "an empty section", "kitchen { }", "" },
		{ "a word", "kitchen { colour = red }", "|1 kitchen.colour=[red]" },
		{ "no blanks", "kitchen{colour=red}", "|1 kitchen.colour=[red]" },
		{ "DOS", "kitchen {\r\n colour = red\r\n}\r\n", "|2 kitchen.colour=[red]" },
		{ "a path", "kitchen { colour = /a/b-c_d:1.2 }", "|1 kitchen.colour=[/a/b-c_d:1.2]" },
		{ "in quotation marks", "kitchen { colour = \"a b={},(+)#'//\" }",
		  "|1 kitchen.colour=[a b={},(+)#'//]" },
		{ "empty", "kitchen { colour = \"\" }", "|1 kitchen.colour=[]" },
		{ "the same name elsewhere", "cellar { colour = \"\" }", "|1 cellar.colour=[]" },
		{ "a section twice", "kitchen { colour = a } cellar { } kitchen { colour = b }",
		  "|1 kitchen.colour=[a]|1 kitchen.colour=[b]" },
		{ "a list", "kitchen { colour = {a, \"b c\",'d'} }",
		  "|1 kitchen.colour=[a][b c][d]" },
		{ "a list of none", "kitchen { colour = { } }", "|1 kitchen.colour=" },
		{ "a comma behind the last", "kitchen { colour = {a, b,} }",
		  "|1 kitchen.colour=[a][b]" },
		{ "several lines", "\nkitchen\n{\n colour\n =\n {\n a,\n b }\n password = x }\n",
		  "|6 kitchen.colour=[a][b]|9 kitchen.password=[x]" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		check(row, true);
}

static void test_quotation_marks(void **state)
{
	static const struct row rows[] = {
		{ "escaped ones", "kitchen { colour = \"\\\"\\\\\\$\\ü\" }",
		  "|1 kitchen.colour=[\"\\$ü]" },
		{ "a variable", "kitchen { colour = \"<${CONFIG_TEST}>\" }",
		  "|1 kitchen.colour=[<some value>]" },
		{ "twice", "kitchen { colour = \"${CONFIG_TEST}${CONFIG_TEST}\" }",
		  "|1 kitchen.colour=[some valuesome value]" },
		{ "one that is not set", "kitchen { colour = \"<${CONFIG_NO_TEST}>\" }",
		  "|1 kitchen.colour=[<>]" },
		{ "a dollar sign", "kitchen { colour = \"a$b$\\${CONFIG_TEST}\" }",
		  "|1 kitchen.colour=[a$b$${CONFIG_TEST}]" },
		{ "single ones", "kitchen { colour = 'a\"\\n${CONFIG_TEST}\\' }",
		  "|1 kitchen.colour=[a\"\\n${CONFIG_TEST}\\]" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		check(row, true);
}

static void test_comments(void **state)
{
	static const struct row rows[] = {
		{ "of a line", "# a\nkitchen { # b\n colour = red# c }\n// d\n}// e",
		  "|3 kitchen.colour=[red]" },
		{ "over several", "/* a\n # b */ kitchen /*/*/ { colour/**/=/* \n */red/* c */}",
		  "|3 kitchen.colour=[red]" },
		{ "in a list", "kitchen { colour = { # a\n b, // c\n d /* e */ } }",
		  "|1 kitchen.colour=[b][d]" },
		{ "none in quotation marks", "kitchen { colour = \"# /* //\" }",
		  "|1 kitchen.colour=[# /* //]" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		check(row, true);
}

#define WANT_OPTION "want NAME = VALUE, or a } behind the section"
#define WANT_SECTION "want a section: NAME { ... }"
#define WANT_VALUE "want a value; quotation marks go around one with blanks or punctuation"

#define WANT_MARK "want a mark of punctuation behind \\; write \\\\ for a backslash"

/* Each ends the reading of the file. */
static void test_what_is_no_configuration(void **state)
{
	static const struct row rows[] = {
		{ "only a value", "\n\"x\"", "|2 " WANT_SECTION },
		{ "a brace too many", "kitchen { }\n}", "|2 " WANT_SECTION },
		{ "no brace", "kitchen colour = red", "|1 " WANT_SECTION },
		{ "a section in a section", "kitchen { cellar { } }", "|1 " WANT_OPTION },
		{ "no equals sign", "kitchen { colour\n red }", "|1 " WANT_OPTION },
		{ "adding to a list", "kitchen { colour += red }", "|1 " WANT_OPTION },
		{ "no value", "kitchen { colour = }", "|1 " WANT_VALUE },
		{ "no value at all", "kitchen { colour =\n", "|2 " WANT_VALUE },
		{ "a variable without quotation marks", "kitchen { colour = ${HOME} }",
		  "|1 kitchen.colour=[$]|1 " WANT_OPTION },
		{ "two values", "kitchen { colour = a\n b }", "|1 kitchen.colour=[a]|2 " WANT_OPTION },
		{ "no comma", "kitchen { colour = {a\n b} }",
		  "|2 want a comma, or a } behind the list" },
		{ "two commas", "kitchen { colour = {a,,b} }", "|1 " WANT_VALUE },
		{ "a list without end", "kitchen { colour = {a", "|1 want a comma, or a } behind "
		  "the list" },
		{ "a section without end", "\nkitchen {\n colour = red\n",
		  "|3 kitchen.colour=[red]|2 the file ends inside this section; add a }" },
		{ "a text without end", "kitchen {\n colour = \"red\n}\n",
		  "|2 a text does not end in its line; add a \"" },
		{ "one that ends with the file", "kitchen { colour = 'red",
		  "|1 a text does not end in its line; add a '" },
		{ "one that ends with a backslash", "kitchen { colour = \"red\\",
		  "|1 a text does not end in its line; add a \"" },
		{ "one that goes on behind a backslash", "kitchen { colour = \"red\\\n\" }",
		  "|1 a text does not end in its line; add a \"" },
		{ "a comment without end", "kitchen { }\n/* }", "|2 a comment does not end; add a */" },
		{ "a letter behind a backslash", "kitchen { colour = \"\\n\" }", "|1 " WANT_MARK },
		{ "a number", "kitchen { colour = \"\\041\" }", "|1 " WANT_MARK },
		{ "a variable with a default", "kitchen { colour = \"${A:-b}\" }",
		  "|1 want ${NAME} for an environment variable, or \\$ for a dollar sign" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		check(row, false);
}

/* The reader goes on behind each of them. */
static void test_unknown_names(void **state)
{
	static const struct row rows[] = {
		{ "an option", "kitchen {\n shape = {a, b}\n colour = red\n}",
		  "|2 no such option 'shape'|3 kitchen.colour=[red]" },
		{ "of another section", "cellar { password = x }", "|1 no such option 'password'" },
		{ "a section", "attic {\n shape = a\n}\nkitchen { colour = red }",
		  "|1 no such section 'attic'|4 kitchen.colour=[red]" },
		{ "a part of a name", "kitche { } kitchens { } kitchen { colou = a }",
		  "|1 no such section 'kitche'|1 no such section 'kitchens'|1 no such option "
		  "'colou'" },
		{ "an option outside of sections", "colour = red",
		  "|1 no such section 'colour'|1 " WANT_SECTION },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		check(row, false);
}

static void test_any_cut_is_no_crash(void **state)
{
	static const char text[] = "kitchen { colour = {\"a\\\"${CONFIG_TEST}\", 'b'} /* c */\n"
				   "password = d } # e\n// f\ncellar { }";

	(void)state;
	for (size_t len = 0; len < sizeof(text); len++) {
		char *cut = xstrndup(text, len);
		bool ok;

		free(read_text(cut, &ok));
		free(cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_values),
		UNIT_TEST(test_quotation_marks),
		UNIT_TEST(test_comments),
		UNIT_TEST(test_what_is_no_configuration),
		UNIT_TEST(test_unknown_names),
		UNIT_TEST(test_any_cut_is_no_crash),
	};

	return cmocka_run_group_tests_name("the syntax of mum.conf", tests, make_scratch,
					   drop_scratch);
}
