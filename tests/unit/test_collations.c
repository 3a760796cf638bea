/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "common/store-mariadb/collations.h"

/* In the order of the columns: domain, mailbox, alias, TLS policy. */
static const struct collations mixed = {
	{ "utf8mb4_unicode_ci", "utf8mb4_uca1400_ai_ci", "latin1_swedish_ci", "binary" }
};

static void test_each_column_has_its_type(void **state)
{
	static const struct {
		const char *name, *template, *want;
	} rows[] = {
		{ "nothing to fill", "SELECT '$[*]', ?", "SELECT '$[*]', ?" },
		{ "empty", "", "" },
		{ "a type", "d {type " COLUMN_DOMAIN "} PATH",
		  "d VARCHAR(191) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci PATH" },
		{ "a long collation", "{type " COLUMN_MAILBOX "}",
		  "VARCHAR(191) CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_ai_ci" },
		{ "another character set", "{type " COLUMN_ALIAS "}",
		  "VARCHAR(191) CHARACTER SET latin1 COLLATE latin1_swedish_ci" },
		{ "bytes", "{type " COLUMN_TLS "}", "VARBINARY(764)" },
		{ "a name", "d = {name " COLUMN_DOMAIN "} AND",
		  "d = CONVERT(? USING utf8mb4) COLLATE utf8mb4_unicode_ci AND" },
		{ "a name in another character set", "{name " COLUMN_ALIAS "}",
		  "CONVERT(? USING latin1) COLLATE latin1_swedish_ci" },
		{ "a name of bytes", "{name " COLUMN_TLS "}", "CONVERT(? USING binary)" },
		{ "the name of a collation", "'{collation " COLUMN_ALIAS "}'",
		  "'latin1_swedish_ci'" },
		{ "several", "{type " COLUMN_TLS "}{name " COLUMN_TLS "}{type " COLUMN_TLS "}",
		  "VARBINARY(764)CONVERT(? USING binary)VARBINARY(764)" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char *got = collations_fill(&mixed, row->template);

		WANT_TEXT(row->name, got, row->want);
		free(got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_each_column_has_its_type),
	};

	return cmocka_run_group_tests_name("collations", tests, NULL, NULL);
}
