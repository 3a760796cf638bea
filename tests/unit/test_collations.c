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
		{ "the name of a collation", "'{collation " COLUMN_ALIAS "}'",
		  "'latin1_swedish_ci'" },
		{ "several", "{type " COLUMN_TLS "}{collation " COLUMN_TLS "}{type " COLUMN_TLS "}",
		  "VARBINARY(764)binaryVARBINARY(764)" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char *got = collations_fill(&mixed, row->template);

		WANT_TEXT(row->name, got, row->want);
		free(got);
	}
}

static void test_names_are_bound_where_all_columns_are_utf8mb4(void **state)
{
	static const struct {
		const char *name;
		struct collations collations;
		bool want;
	} rows[] = {
		{ "MUM's own", { { "utf8mb4_unicode_ci", "utf8mb4_unicode_ci", "utf8mb4_unicode_ci",
				   "utf8mb4_unicode_ci" } }, true },
		{ "others of it", { { "utf8mb4_bin", "utf8mb4_uca1400_ai_ci", "utf8mb4_general_ci",
				      "utf8mb4_0900_ai_ci" } }, true },
		{ "three bytes", { { "utf8mb4_bin", "utf8mb3_unicode_ci", "utf8mb4_bin",
				     "utf8mb4_bin" } }, false },
		{ "three bytes of old", { { "utf8_unicode_ci", "utf8mb4_bin", "utf8mb4_bin",
					    "utf8mb4_bin" } }, false },
		{ "the last one", { { "utf8mb4_bin", "utf8mb4_bin", "utf8mb4_bin", "latin1_bin" } },
		  false },
		{ "bytes", { { "utf8mb4_bin", "utf8mb4_bin", "binary", "utf8mb4_bin" } }, false },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		WANT_NUMBER(row->name, collations_are_utf8mb4(&row->collations), row->want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_each_column_has_its_type),
		UNIT_TEST(test_names_are_bound_where_all_columns_are_utf8mb4),
	};

	return cmocka_run_group_tests_name("collations", tests, NULL, NULL);
}
