/* SPDX-License-Identifier: MIT */
/* The keys of an address: in a cache, for people, and in columns that are too narrow. */
#include "tests/unit/unit.h"

#include "common/address.h"
#include "common/text.h"
#include "common/xalloc.h"

#define LONG_S "\xc5\xbf"		/* U+017F, folds to s */
#define NOT_EQUAL "\xe2\x89\xa0"	/* U+2260, "=" and U+0338 composed */
#define COMBINING_SOLIDUS "\xcc\xb8"	/* U+0338 */

static struct address *parse(enum address_kind kind, const char *text, const char *delimiters)
{
	return address_new(kind, text, strlen(text), delimiters);
}

static bool has_equal_facts(const struct address *one, const struct address *other)
{
	bool equal = one->forms_count == other->forms_count &&
		     one->domains_count == other->domains_count &&
		     strcmp(one->domain, other->domain) == 0;

	for (size_t i = 0; equal && i < one->forms_count; i++)
		equal = strcmp(one->forms[i].local, other->forms[i].local) == 0;
	for (size_t i = 0; equal && i < one->domains_count; i++)
		equal = strcmp(one->domains[i], other->domains[i]) == 0;
	return equal;
}

/* ---- keys ---- */

static const struct {
	const char *name, *delimiters, *one, *other;
	bool same;
} pairs[] = {
	{ "case", "+", "Joe+Tag@Example.com", "joe+tag@example.com", true },
	{ "another extension", "+", "joe+tag@d", "joe+tags@d", false },
	{ "no extension", "+", "joe+@d", "joe@d", false },
	{ "both spellings of a domain", "+", "j@b\xc3\xbc" "cher.d", "j@xn--bcher-kva.d", true },
	{ "folded, -request is whole", "+-=", "foo-reque" LONG_S "t@d", "foo-request@d", true },
	{ "folded, owner- is whole", "-", "owner-a@d", "OWNER-a@d", true },
	{ "folded, postmaster is whole", "t", "po" LONG_S "tmaster@d", "postmaster@d", true },
	{ "a delimiter is one before it is composed", "=", "a=" COMBINING_SOLIDUS "b@d",
	  "a" NOT_EQUAL "b@d", false },
	{ "what is composed elsewhere is the same", "=", "e\xcc\x81=b@d", "\xc3\xa9=b@d", true },
	{ "quotes that must be", "+", "\"a b\"@d", "a b@d", true },
	{ "quotes that need not be", "+", "\"joe\"@d", "joe@d", false },
	{ "a control character cannot forge a key", "+", "joe@d", "joe\1joe@d", false },
	{ "one form that looks like two", "", "a@b@d", "\"a@b\"@d", true },
};

static void test_keys(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, pairs) {
		struct address *one = parse(ADDRESS_MAIL, row->one, row->delimiters);
		struct address *other = parse(ADDRESS_MAIL, row->other, row->delimiters);
		bool same = one != NULL && other != NULL && strcmp(one->key, other->key) == 0;

		WANT(row->name, same == row->same);
		if (one != NULL && other != NULL)
			WANT(row->name, same == has_equal_facts(one, other));
		address_unref(&one);
		address_unref(&other);
	}
}

/* A form that fits no column is left out; the key must show that. */
static void test_a_key_without_its_quoted_form(void **state)
{
	char *long_tail = unit_repeat("y", 182);
	char *plain = xasprintf("\"bob+ %s\"@d", long_tail);
	char *quoted = xasprintf("\"\\\"bob+ %s\\\"\"@d", long_tail);
	struct address *one = parse(ADDRESS_MAIL, plain, "+");
	struct address *other = parse(ADDRESS_MAIL, quoted, "+");

	(void)state;
	WANT("both can exist", one != NULL && other != NULL);
	WANT("they are asked for differently", !has_equal_facts(one, other));
	WANT("so their keys differ", strcmp(one->key, other->key) != 0);
	address_unref(&one);
	address_unref(&other);
	free(long_tail);
	free(plain);
	free(quoted);
}

static void test_names_for_people(void **state)
{
	static const struct {
		const char *name, *text, *want;
		enum address_kind kind;
	} rows[] = {
		{ "one form", "Joe@D", "joe@d", ADDRESS_MAIL },
		{ "the first form of several", "Joe+Tag@D", "joe+tag@d", ADDRESS_MAIL },
		{ "quoted", "a b@d", "\"a b\"@d", ADDRESS_MAIL },
		{ "a domain", "Example.COM", "example.com", ADDRESS_DOMAIN },
		{ "a U-label", "j@B\xc3\x9c" "CHER.d", "j@xn--bcher-kva.d", ADDRESS_LOGIN },
		{ "a TLS key", "[D]:25", "[d]:25", ADDRESS_TLS },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct address *address = parse(row->kind, row->text, "+");

		WANT_TEXT(row->name, address->name, row->want);
		address_unref(&address);
	}
}

/* ---- every code point ---- */

/* Does it fold to itself, whatever is around it? */
static bool is_inert(const char *letter)
{
	char *text = xasprintf("=%sa", letter);
	char *folded = address_fold_local(text, strlen(text));
	bool inert = strcmp(text, folded) == 0;

	free(text);
	free(folded);
	return inert;
}

/* Postfix's smtpd folds the case of what cleanup sends as it came in. */
static void check_split(unsigned code, const char *local, const char *delimiters)
{
	char *text = xasprintf("%s@d", local);
	char *sent = address_fold_case(text, strlen(text));
	char *composed = address_fold_local(text, strlen(text));
	struct address *addresses[] = { parse(ADDRESS_MAIL, text, delimiters),
					parse(ADDRESS_MAIL, sent, delimiters),
					parse(ADDRESS_MAIL, composed, delimiters) };
	bool holds = addresses[0] != NULL && addresses[1] != NULL && addresses[2] != NULL &&
		     strcmp(addresses[0]->key, addresses[1]->key) == 0 &&
		     has_equal_facts(addresses[0], addresses[1]) &&
		     (strcmp(addresses[0]->key, addresses[2]->key) == 0) ==
			     has_equal_facts(addresses[0], addresses[2]);

	if (!holds) {
		char *name = xasprintf("U+%04X splits alike, folded or not: %s, %s", code, text,
				       delimiters);

		WANT(name, holds);
		free(name);
	}
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++)
		address_unref(&addresses[i]);
	free(text);
	free(sent);
	free(composed);
}

/* Tries the letter on both sides of a delimiter, and in names that are never split. */
static void check_splits(unsigned code, const char *letter, const char *delimiters)
{
	const char *const around[][2] = {
		{ "a", "%cb" }, { "a%c", "b" }, { "a", "b" }, { "foo%creque", "t" },
		{ "", "wner%cb" }, { "po", "tmaster" },
	};

	for (size_t i = 0; i < ARRAY_LEN(around); i++) {
		char *local = xasprintf("%s%s%s", around[i][0], letter, around[i][1]);

		for (char *at = local; (at = strstr(at, "%c")) != NULL;) {
			*at = delimiters[0];
			memmove(at + 1, at + 2, strlen(at + 2) + 1);
		}
		check_split(code, local, delimiters);
		free(local);
	}
}

static void put_utf8(unsigned code, char *to)
{
	static const unsigned first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	int len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	to[len] = '\0';
	for (int i = len - 1; i > 0; i--, code >>= 6)
		to[i] = (char)(0x80 | (code & 0x3f));
	to[0] = (char)(first[len] | code);
}

static void test_every_code_point_beside_a_delimiter(void **state)
{
	static const char *const delimiters[] = { "+", "+-", "=", "-" };

	(void)state;
	for (unsigned code = 0x20; code < 0x110000; code += UNIT_STEP) {
		char letter[5];

		if (code >= 0x7f && code < 0xa0)
			code = 0xa0;
		if (code >= 0xd800 && code < 0xe000)
			code = 0xe000;
		put_utf8(code, letter);
		/* If folding changes nothing, checking a few of them is enough. */
		if (code >= 0x80 && code % 256 != 0 && is_inert(letter))
			continue;
		for (size_t i = 0; i < ARRAY_LEN(delimiters); i++)
			check_splits(code, letter, delimiters[i]);
	}
}

/* ---- domains whose A-labels fit no column ---- */

/* Six scripts in a label, which make 25 characters as an A-label. */
#define SCRIPTS "\xc3\xa4\xd0\xb6\xe3\x82\xab\xe5\xad\x97\xed\x95\x9c\xe0\xb9\x84"

static void test_a_domain_too_wide_as_alabels(void **state)
{
	static const struct {
		const char *name, *before, *after;
		enum address_kind kind;
	} rows[] = {
		{ "domain", "", "", ADDRESS_DOMAIN },
		{ "mail", "joe@", "", ADDRESS_MAIL },
		{ "login", "joe@", "", ADDRESS_LOGIN },
		{ "TLS", "", "", ADDRESS_TLS },
		{ "TLS with marks", "[", "]:25", ADDRESS_TLS },
	};
	char *ulabels = unit_repeat("." SCRIPTS, 9);
	char *alabels;

	(void)state;
	*ulabels = 'a';		/* for the first dot */
	alabels = address_fold_domain(ulabels, strlen(ulabels));
	WANT("A-labels are too wide", strlen(alabels) > ADDRESS_PART_MAX &&
	     strncmp(alabels, "xn--", 4) == 0);
	WANT("U-labels are not", text_characters(ulabels, strlen(ulabels)) < 100);
	FOR_EACH_ROW(row, rows) {
		bool tls = row->kind == ADDRESS_TLS;
		char *stored = xasprintf("%s%s%s", tls ? row->before : "", ulabels, row->after);
		const char *const texts[] = { ulabels, alabels };
		char *keys[2] = { NULL, NULL };

		for (size_t i = 0; i < 2; i++) {
			char *text = xasprintf("%s%s%s", row->before, texts[i], row->after);
			struct address *address = parse(row->kind, text, "+");

			WANT(row->name, address != NULL);
			WANT_NUMBER(row->name, address->domains_count, 1);
			WANT_TEXT(row->name, address->domains[0], stored);
			WANT(row->name, address_is_domain(address, stored));
			keys[i] = xstrdup(address->key);
			address_unref(&address);
			free(text);
		}
		WANT_TEXT(row->name, keys[0], keys[1]);
		free(keys[0]);
		free(keys[1]);
		free(stored);
	}
	free(ulabels);
	free(alabels);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_keys),
		UNIT_TEST(test_a_key_without_its_quoted_form),
		UNIT_TEST(test_names_for_people),
		UNIT_TEST(test_every_code_point_beside_a_delimiter),
		UNIT_TEST(test_a_domain_too_wide_as_alabels),
	};

	return cmocka_run_group_tests_name("address keys", tests, NULL, NULL);
}
