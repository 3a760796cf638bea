/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "common/address-list.h"
#include "common/buf.h"
#include "common/xalloc.h"

#define SHARP_S "\xc3\x9f"	/* U+00DF */
#define BUECHER "b\xc3\xbc" "cher"

#define OWN(text) { (text), true }
#define FOREIGN(text) { (text), false }

static const struct {
	const char *name;
	struct {
		const char *text;
		bool own;
	} added[6];
	const char *want;	/* joined by commas */
} lists[] = {
	{ "empty", { { 0 } }, "" },
	{ "one", { OWN("a@d") }, "a@d" },
	{ "the order stays", { OWN("c@d"), FOREIGN("a@d"), OWN("b@d") }, "c@d,a@d,b@d" },

	{ "own: case", { OWN("Max@d"), OWN("max@D"), OWN("MAX@d") }, "Max@d" },
	{ "own: sharp s", { OWN("strasse@d"), OWN("Stra" SHARP_S "e@d") }, "strasse@d" },
	{ "own: accents count", { OWN("e@d"), OWN("\xc3\xa9@d") }, "e@d,\xc3\xa9@d" },
	{ "own: both spellings of a domain",
	  { OWN("x@" BUECHER ".d"), OWN("x@xn--bcher-kva.d") }, "x@" BUECHER ".d" },

	{ "foreign: the same bytes", { FOREIGN("Max@d"), FOREIGN("Max@d") }, "Max@d" },
	{ "foreign: the case of the local part", { FOREIGN("Max@d"), FOREIGN("max@d") },
	  "Max@d,max@d" },
	{ "foreign: the case of the domain", { FOREIGN("Max@d"), FOREIGN("Max@D") }, "Max@d" },
	{ "foreign: both spellings of a domain",
	  { FOREIGN("x@xn--bcher-kva.d"), FOREIGN("x@B\xc3\x9c" "CHER.d") },
	  "x@xn--bcher-kva.d" },
	{ "foreign: sharp s", { FOREIGN("strasse@d"), FOREIGN("stra" SHARP_S "e@d") },
	  "strasse@d,stra" SHARP_S "e@d" },
	{ "foreign: two ways to write one accent",
	  { FOREIGN("\xc3\xa9@d"), FOREIGN("e\xcc\x81@d") }, "\xc3\xa9@d,e\xcc\x81@d" },
	{ "foreign: copies between other spellings",
	  { FOREIGN("b@d"), FOREIGN("B@d"), FOREIGN("b@D"), FOREIGN("a@d"), FOREIGN("B@D"),
	    FOREIGN("A@d") }, "b@d,B@d,a@d,A@d" },
	{ "foreign: one local part begins the other", { FOREIGN("ab@d"), FOREIGN("a@d") },
	  "ab@d,a@d" },
	{ "foreign: no domain", { FOREIGN("root"), FOREIGN("Root"), FOREIGN("root") },
	  "root,Root" },
	{ "foreign: no domain and one", { FOREIGN("root"), FOREIGN("root@root") },
	  "root,root@root" },

	/* If MUM knows an address, each spelling of it is MUM's. */
	{ "own, then foreign", { OWN("max@d"), FOREIGN("Max@d") }, "max@d" },
	{ "foreign, then own", { FOREIGN("Max@d"), OWN("max@d") }, "Max@d" },
	{ "own among foreign ones",
	  { FOREIGN("max@d"), FOREIGN("x@d"), FOREIGN("Max@d"), OWN("MAX@d") }, "max@d,x@d" },
	{ "an own one says nothing of others", { OWN("max@d"), FOREIGN("a@e"), FOREIGN("A@e") },
	  "max@d,a@e,A@e" },
};

static void test_each_address_once(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, lists) {
		struct address_list list = { 0 };
		struct arena arena = { NULL };
		struct buf text = BUF_INIT(1000);
		const char **got;
		size_t count;
		char *joined;

		for (size_t i = 0; i < ARRAY_LEN(row->added) && row->added[i].text != NULL; i++)
			address_list_add(&list, row->added[i].text, row->added[i].own);
		got = address_list_finish(&list, &arena, &count);
		for (size_t i = 0; i < count; i++)
			buf_printf(&text, "%s%s", i > 0 ? "," : "", got[i]);
		joined = buf_steal(&text);
		WANT_TEXT(row->name, joined, row->want);
		WANT_NUMBER("the list is empty again", list.count, 0);
		free(joined);
		arena_free(&arena);
	}
}

/* Many spellings of one name must not take more time than n log n. */
static void test_many_spellings_of_one_address(void **state)
{
	enum { BITS = 14, COUNT = 1 << BITS };
	struct address_list list = { 0 };
	struct arena arena = { NULL };
	char (*texts)[BITS + 3] = calloc(COUNT, sizeof(*texts));
	bool in_order = true;
	const char **got;
	size_t count;

	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		for (unsigned bit = 0; bit < BITS; bit++)
			texts[i][bit] = (i >> bit & 1) != 0 ? 'A' : 'a';
		memcpy(texts[i] + BITS, "@d", 3);
		address_list_add(&list, texts[i], false);
	}
	got = address_list_finish(&list, &arena, &count);
	WANT_NUMBER("all are different", count, COUNT);
	for (size_t i = 0; i < count; i++)
		in_order = in_order && got[i] == texts[i];
	WANT("in the order of adding", in_order);
	arena_free(&arena);
	free(texts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_each_address_once),
		UNIT_TEST(test_many_spellings_of_one_address),
	};

	return cmocka_run_group_tests_name("address list", tests, NULL, NULL);
}
