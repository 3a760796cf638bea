/* SPDX-License-Identifier: MIT */
/* Lists as MUM's stock queries put them together, and whether MySQL has cut one. */
#include "tests/unit/unit.h"

#include "mumctl/compare/lists.h"

static void test_words(void **state)
{
	static const struct {
		const char *list, *word;
		bool has;
	} rows[] = {
		{ "a@d,b@d", "a@d", true },   { "a@d,b@d", "b@d", true },
		{ "a@d,b@d", "a@d,b", false }, { "aa@d", "a@d", false },
		{ "a@dd", "a@d", false },      { "", "a@d", false },
		{ "a@d,,b@d", "", true },      { NULL, "a@d", false },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		WANT(row->word, list_has(row->list, row->word, strlen(row->word)) == row->has);
}

static void test_sets(void **state)
{
	static const struct {
		const char *one, *other;
		bool within, same;
	} rows[] = {
		{ "a,b", "b,a", true, true },	{ "a", "a,b", true, false },
		{ "a,b", "a", false, false },	{ "a,a", "a", true, true },
		{ "", "a", true, false },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		WANT(row->one, list_is_within(row->one, row->other) == row->within);
		WANT(row->one, list_is_same_set(row->one, row->other) == row->same);
	}
	WANT("no list", !list_is_same_set(NULL, "a") && !list_is_same_set("a", NULL));
}

/* A list of len bytes, with a word of ten bytes at its end. */
static void test_cuts(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		const char *ours;
		bool cut;
	} rows[] = {
		{ "shorter", 1020, NULL, false },
		{ "a character of four bytes did not fit", 1021, NULL, true },
		{ "one of two", 1023, "x", true },
		{ "the last word is whole", 1023, "x,yyyyyyyyyy", false },
		{ "to the byte", 1024, "x,yyyyyyyyyy", true },
		{ "longer than the limit: the admin has raised it", 1025, NULL, false },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char list[1100];

		memset(list, 'x', row->len - 11);
		memcpy(list + row->len - 11, ",yyyyyyyyyy", 12);
		WANT(row->name, list_is_cut(list, row->ours) == row->cut);
	}
}

static void test_blanks(void **state)
{
	static const struct {
		const char *word;
		bool untrimmed;
	} rows[] = {
		{ "", true }, { " ", true }, { "a b", false }, { " a", true }, { "a\t", true },
		{ "a\r\n", true }, { "a", false },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		WANT(row->word, list_is_untrimmed(row->word) == row->untrimmed);
}

static void test_commas(void **state)
{
	static const struct {
		const char *list, *ours;
		bool otherwise;
	} rows[] = {
		{ "secure,match=a,b", "secure match=a,b", true },
		{ "secure,match=a", "secure,match=a", false },
		{ "secure", "secure", false },
		{ "secure,a", "secure b", false },
		{ "may,a", "secure a", false },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		WANT(row->list, list_is_joined_otherwise(row->list, row->ours) == row->otherwise);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_words), UNIT_TEST(test_sets),   UNIT_TEST(test_cuts),
		UNIT_TEST(test_blanks), UNIT_TEST(test_commas),
	};

	return cmocka_run_group_tests_name("compare_lists", tests, NULL, NULL);
}
