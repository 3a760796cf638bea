/* SPDX-License-Identifier: MIT */
/* Which differences from stock change something for mail, and what is said about them. */
#include "tests/unit/unit.h"

#include "mumctl/compare/effects.h"

#define REFUSED_550 "550 5.2.1 alias leads to no mailbox that accepts mail"
#define UNKNOWN "refuses it, as it knows no such address"
#define DELIVERED "delivers it to the mailbox"

/* words_*: NULL where nothing changes. */
static const struct {
	const char *what;
	struct mail_answers stock, ours;
	const char *words_stock, *words_ours;
} cases[] = {
	{ "nobody knows it", { .deferred = false }, { .deferred = false }, NULL, NULL },
	{ "D8: an alias counts for the check", { .alias = "a@b" },
	  { .alias = "a@b", .access = "DUNNO" }, NULL, NULL },
	{ "D13: another text", { .access = "REJECT", .mailbox = "1" },
	  { .access = "550 5.2.1 x", .mailbox = "1" }, NULL, NULL },
	{ "D5: another order", { .alias = "a@b,c@d" }, { .alias = "c@d,a@b" }, NULL, NULL },
	{ "D5: each once", { .alias = "a@b, A@B,c@d" }, { .alias = "a@b,c@d" }, NULL, NULL },
	{ "D7: a blank one", { .alias = " ,a@b" }, { .alias = "a@b" }, NULL, NULL },
	{ "D4: quotes around a blank", { .alias = "a b@c" }, { .alias = "\"a b\"@c" }, NULL, NULL },
	{ "refused, and unknown", { .access = "REJECT" }, { .deferred = false }, NULL, NULL },
	{ "D4: quotes around a comma", { .alias = "a,b@c" }, { .alias = "\"a,b\"@c" },
	  "sends it to \"a,b@c\"", "leaves out \"a,b@c\" and adds \"\"a,b\"@c\"" },
	{ "D8 D6: no recipient is left", { .alias = "a@b" }, { .access = REFUSED_550 },
	  "sends it to \"a@b\"", "refuses it: \"" REFUSED_550 "\"" },
	{ "D6: one recipient is left", { .alias = "a@b,c@d" }, { .alias = "c@d" },
	  "sends it to \"a@b,c@d\"", "leaves out \"a@b\"" },
	{ "a blank one is no recipient", { .alias = "a@b, ,c@d" }, { .alias = "c@d" },
	  "sends it to \"a@b, ,c@d\"", "leaves out \"a@b\"" },
	{ "D24: another address", { .alias = "a@old" }, { .alias = "a@new" },
	  "sends it to \"a@old\"", "leaves out \"a@old\" and adds \"a@new\"" },
	{ "D9: expired", { .alias = "a@b" }, { .deferred = false }, "sends it to \"a@b\"", UNKNOWN },
	{ "D9: expired, with a mailbox", { .alias = "a@b", .mailbox = "1" }, { .mailbox = "1" },
	  "sends it to \"a@b\"", DELIVERED },
	{ "D1: a twin", { .mailbox = "1", .access = "DUNNO" }, { .deferred = false }, DELIVERED,
	  UNKNOWN },
	{ "D14: another spelling", { .deferred = false }, { .mailbox = "1", .access = "DUNNO" },
	  UNKNOWN, DELIVERED },
	{ "D8: an alias of the name of a send-only mailbox",
	  { .alias = "a@b", .mailbox = "1", .access = "REJECT" },
	  { .alias = "a@b", .mailbox = "1", .access = "DUNNO" }, "refuses it: \"REJECT\"",
	  "sends it to \"a@b\"" },
	{ "D15: no value", { .alias = "a\tb@c" }, { .deferred = true }, "sends it to \"a\tb@c\"",
	  "defers it, since no value can be handed to Postfix" },
};

static void test_mail(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, cases) {
		bool changes = effect_on_mail(&row->stock, &row->ours);
		char *stock = effect_of_side(&row->stock);
		char *ours = effect_of_ours(&row->stock, &row->ours);

		WANT_TEXT(row->what, changes ? stock : NULL, row->words_stock);
		WANT_TEXT(row->what, changes ? ours : NULL, row->words_ours);
		free(stock);
		free(ours);
	}
}

/* They are cut between two characters, and the length is added. */
static void test_long_values_are_cut(void **state)
{
	char text[301], *shown;

	(void)state;
	for (size_t i = 0; i < 300; i += 2)
		memcpy(text + i, "\xc3\xb6", 3);
	shown = effect_value(text + 1);
	assert_non_null(strstr(shown, "\xc3\xb6...\" (299 bytes, --all shows them)"));
	assert_true(strlen(shown) < 180);
	free(shown);
	shown = effect_value(" a");
	assert_string_equal(shown, "\" a\"");
	free(shown);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_mail),
		UNIT_TEST(test_long_values_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
