/* SPDX-License-Identifier: MIT */
/* Lists of entries of doc/differences.md. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "mumctl/compare/numbers.h"

static void test_entries_without_effect(void **state)
{
	static const struct {
		const char *numbers;
		bool none;
	} entries[] = {
		{ "", true }, { "D5", true }, { "D2 D12", true }, { "D1", false }, { "D11", false },
		{ "D5 D9", false }, { "D9 D5", false }, { "?", false }, { "D22", true },
	};

	(void)state;
	FOR_EACH_ROW(row, entries)
		WANT_NUMBER(row->numbers, numbers_have_no_effect(row->numbers), row->none);
}

static void test_numbers_are_joined(void **state)
{
	static const struct {
		const char *before, *numbers, *after;
	} entries[] = {
		{ "", "D6", "D6" }, { "D6", "D6", "D6" }, { "D6", "D9", "D6 D9" },
		{ "", "D8 D6", "D6" }, { "D8", "D6", "D6" }, { "D6", "D8", "D6" },
		{ "", "D8", "D8" }, { "D8", "D5", "D8 D5" }, { "D12", "D1", "D1" },
		{ "D1", "D11", "D1 D11" }, { "D11", "D1", "D11 D1" }, { "", "", "" },
	};

	(void)state;
	FOR_EACH_ROW(row, entries) {
		char list[NUMBERS_SIZE];

		snprintf(list, sizeof(list), "%s", row->before);
		numbers_add(list, row->numbers);
		WANT_TEXT(row->numbers, list, row->after);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_entries_without_effect),
		UNIT_TEST(test_numbers_are_joined),
	};

	return cmocka_run_group_tests_name("compare_numbers", tests, NULL, NULL);
}
