/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "common/log-text.h"
#include "common/text.h"

static void test_values(void **state)
{
	static const struct {
		const char *name, *value, *text, *word;
	} rows[] = {
		{ "an address", "anna@example.org", "anna@example.org", "anna@example.org" },
		{ "nothing", "", "", "-" },
		{ "a blank", "a b", "a b", "a\\x20b" },
		{ "UTF-8", "j\xc3\xb6rg@b\xc3\xbc", "j\xc3\xb6rg@b\xc3\xbc", "j\xc3\xb6rg@b\xc3\xbc" },
		{ "the end of the value", "a> login=<b", "a\\x3e login=\\x3cb",
		  "a\\x3e\\x20login=\\x3cb" },
		{ "a backslash", "a\\x3e", "a\\x5cx3e", "a\\x5cx3e" },
		{ "a newline", "a\nb", "a\\x0ab", "a\\x0ab" },
		{ "a carriage return", "\r", "\\x0d", "\\x0d" },
		{ "a tab", "\t", "\\x09", "\\x09" },
		{ "an escape sequence", "\x1b[2J", "\\x1b[2J", "\\x1b[2J" },
		{ "delete", "\x7f", "\\x7f", "\\x7f" },
		{ "a C1 control", "\xc2\x9b", "\\xc2\\x9b", "\\xc2\\x9b" },
		{ "invalid UTF-8", "a\xff", "a\\xff", "a\\xff" },
		{ "cut UTF-8", "a\xc3", "a\\xc3", "a\\xc3" },
		{ "a format is only text", "%s%n", "%s%n", "%s%n" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char *exact = unit_exact(row->value, strlen(row->value) + 1);

		WANT_TEXT(row->name, LOG_TEXT(exact), row->text);
		WANT_TEXT(row->name, LOG_WORD(exact), row->word);
		free(exact);
	}
}

/* Tries every length around the limit, with characters of one to four bytes. */
static void test_what_is_too_long_is_cut_between_characters(void **state)
{
	static const char *const characters[] = { "a", "\xc3\xb6", "\xe2\x82\xac",
						  "\xf0\x9f\x98\x80", "\n", "\xff" };

	(void)state;
	FOR_EACH_ROW(character, characters) {
		for (size_t count = 1; count < LOG_TEXT_MAX + 10; count++) {
			char *value = unit_repeat(*character, count);
			struct log_text to;
			size_t len = strlen(log_text_put(&to, value));
			bool cut = len >= 3 && strcmp(to.text + len - 3, "...") == 0;

			WANT("it fits", len < LOG_TEXT_MAX);
			WANT("short ones are whole", cut || count < LOG_TEXT_MAX);
			WANT("long ones are cut", cut || len >= count);
			if (cut)
				to.text[len - 3] = '\0';
			WANT("whole characters", text_is_clean(to.text, strlen(to.text)));
			free(value);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_values),
		UNIT_TEST(test_what_is_too_long_is_cut_between_characters),
	};

	return cmocka_run_group_tests_name("log text", tests, NULL, NULL);
}
