/* SPDX-License-Identifier: MIT */
/* Entries of doc/differences.md, by state and in lists. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "mumctl/compare/numbers.h"

static void test_states_have_their_entries(void **state)
{
	(void)state;
	WANT_TEXT("live", numbers_of_recipient(RECIPIENT_IS_LIVE), "");
	WANT_TEXT("blank", numbers_of_recipient(RECIPIENT_IS_BLANK), "D7");
	WANT_TEXT("itself", numbers_of_recipient(RECIPIENT_IS_ALIAS_ITSELF), "D7");
	WANT_TEXT("no end", numbers_of_recipient(RECIPIENT_HAS_NO_END), "D7");
	WANT_TEXT("inactive", numbers_of_recipient(RECIPIENT_IS_INACTIVE), "D6");
	WANT_TEXT("unknown", numbers_of_recipient(RECIPIENT_IS_UNKNOWN), "D6");
	WANT_TEXT("expired", numbers_of_alias(ALIAS_IS_EXPIRED), "D9");
	WANT_TEXT("dead", numbers_of_alias(ALIAS_IS_DEAD), "");
	WANT_TEXT("owner", numbers_of_owner(OWNER_IS_LIVE), "");
	WANT_TEXT("of an expired alias", numbers_of_owner(OWNER_OF_EXPIRED_ALIAS), "D9");
	WANT_TEXT("inactive owner", numbers_of_owner(OWNER_IS_INACTIVE), "D10");
	WANT_TEXT("both", numbers_of_owner(OWNER_IS_INACTIVE_OF_EXPIRED_ALIAS), "D9 D10");
}

static void test_numbers_are_added_once(void **state)
{
	char list[NUMBERS_SIZE] = "";

	(void)state;
	numbers_add_all(list, "D9 D10");
	numbers_add_all(list, "D10 D8");
	numbers_add_all(list, "");
	WANT_TEXT("all", list, "D9 D10 D8");
}

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
		UNIT_TEST(test_states_have_their_entries),
		UNIT_TEST(test_numbers_are_added_once),
		UNIT_TEST(test_entries_without_effect),
		UNIT_TEST(test_numbers_are_joined),
	};

	return cmocka_run_group_tests_name("compare_numbers", tests, NULL, NULL);
}
