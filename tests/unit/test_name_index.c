/* SPDX-License-Identifier: MIT */
/* Which texts of recipients may be read as which names. */
#include "tests/unit/unit.h"

#include "common/buf.h"
#include "mumctl/reverse/name-index.h"

static const struct recipients_settings settings = {
	.readings = { .allow_percent_hack = true, .swap_bangpath = true,
		      .myorigin = "origin.test", .mydomain = "mydomain.test" },
};

/* Each is the recipient of an alias whose id is the place in this list. */
static const char *const texts[] = {
	"anna@example.test", " ANNA@Example.Test\t", "anna+x@example.test",
	"example.test!anna", "anna%example.test", "anna@example.test.", "anna",
	"\"a b\"@example.test", "a b@example.test",
	("j\xc3\xb6rg@b\xc3\xbc" "cher.test"), "", "anna@", "anna@other.test",
};

static const struct {
	const char *name, *found;
} names[] = {
	{ "anna@example.test", "0 1 2 3 4 5 " },
	{ "anna+x@example.test", "2 " },
	{ "anna@origin.test", "6 " },
	{ "a b@example.test", "7 8 " },
	{ "\"a b\"@example.test", "7 8 " },
	{ "j\xc3\xb6rg@xn--bcher-kva.test", "9 " },
	{ "anna@other.test", "12 " },
	{ "nobody@example.test", "" },
};

static void on_alias(uint64_t alias, void *arg)
{
	buf_printf(arg, "%u ", (unsigned)alias);
}

static void test_names(void **state)
{
	struct name_index *index = name_index_new(&settings, "+");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		name_index_add(index, texts[i], i);
	FOR_EACH_ROW(row, names) {
		struct buf found = BUF_INIT(1024);
		char *text;

		name_index_find(index, row->name, on_alias, &found);
		text = buf_steal(&found);
		WANT_TEXT(row->name, text, row->found);
		free(text);
	}
	name_index_free(&index);
	name_index_free(&index);
}

static bool is_wanted(const char *name, void *arg)
{
	return strstr(name, arg) != NULL;
}

/* "anna+x" is no name here: its extension may be removed. */
static void test_wanted_names(void **state)
{
	struct name_index *index = name_index_new(&settings, "+");
	struct buf found = BUF_INIT(1024);
	char domain[] = "@example.test", name[] = "anna+x";
	char *text;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		name_index_add(index, texts[i], i);
	name_index_find_wanted(index, is_wanted, name, on_alias, &found);
	name_index_find_wanted(index, is_wanted, domain, on_alias, &found);
	text = buf_steal(&found);
	assert_string_equal(text, "0 1 2 3 4 5 7 8 ");
	free(text);
	name_index_free(&index);
}

static const struct {
	const char *name, *delimiters, *stems;
} stems[] = {
	{ "anna@example.test", "+", "" },
	{ "anna+x@example.test", "+", "anna@example.test " },
	{ "a+b+c@d.test", "+", "a@d.test a+b@d.test " },
	{ "a+b-c@d.test", "+-", "a@d.test a+b@d.test " },
	{ "+a@d.test", "+", "" },
	{ "a@d+x.test", "+", "" },
	{ "\"a b+c\"@d.test", "+", "\"a b\"@d.test " },
	{ "a+b@d.test", "", "" },
};

static void on_stem(const char *stem, void *arg)
{
	buf_printf(arg, "%s ", stem);
}

static void test_stems(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, stems) {
		struct buf found = BUF_INIT(1024);
		char *text;

		name_index_each_stem(row->name, row->delimiters, on_stem, &found);
		text = buf_steal(&found);
		WANT_TEXT(row->name, text, row->stems);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_names),
		UNIT_TEST(test_wanted_names),
		UNIT_TEST(test_stems),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
