/* SPDX-License-Identifier: MIT */
/* Texts that cannot be names, lengths around each limit, and the way back to RFC 5321. */
#include "tests/unit/unit.h"

#include "common/address-quote.h"
#include "common/address.h"
#include "common/text.h"
#include "common/xalloc.h"

#define BUECHER "b\xc3\xbc" "cher"
#define BUECHER_A "xn--bcher-kva"

static struct address *parse(enum address_kind kind, const char *text, size_t len)
{
	char *exact = unit_exact(text, len);
	struct address *address = address_new(kind, exact, len, "+");

	free(exact);
	return address;
}

/* ---- lengths ---- */

static const struct {
	const char *name;
	const char *unit, *separator;	/* local part: unit, count times, separator... */
	size_t count, tag_count;
	size_t forms;			/* 0: no such name */
	size_t first_len;		/* bytes of the first form */
} local_limits[] = {
	{ "190 characters", "a", "", 190, 0, 1, 190 },
	{ "191 characters", "a", "", 191, 0, 1, 191 },
	{ "192 characters", "a", "", 192, 0, 0, 0 },
	{ "191 characters of two bytes", "\xc3\xa9", "", 191, 0, 1, 382 },
	{ "192 characters of two bytes", "\xc3\xa9", "", 192, 0, 0, 0 },
	{ "191 characters of four bytes", "\xf0\x9f\x98\x80", "", 191, 0, 1, 764 },
	{ "192 characters of four bytes", "\xf0\x9f\x98\x80", "", 192, 0, 0, 0 },
	{ "user and extension 191 together", "a", "+", 100, 90, 2, 191 },
	{ "user and extension 192 together: the user is left", "a", "+", 100, 91, 1, 100 },
	{ "user of 191 with an extension", "a", "+", 191, 9000, 1, 191 },
	{ "user of 192 with an extension", "a", "+", 192, 5, 0, 0 },
	{ "an extension of 9,000 bytes", "a", "+", 3, 9000, 1, 3 },
	{ "10,000 characters", "a", "", 10000, 0, 0, 0 },
};

static void test_local_limits(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, local_limits) {
		char *user = unit_repeat(row->unit, row->count);
		char *tag = unit_repeat("t", row->tag_count);
		char *text = xasprintf("%s%s%s@example.com", user, row->separator, tag);
		struct address *address = parse(ADDRESS_MAIL, text, strlen(text));

		WANT_NUMBER(row->name, address != NULL ? address->forms_count : 0,
			    row->forms);
		if (address != NULL)
			WANT_NUMBER(row->name, strlen(address->forms[0].local),
				    row->first_len);
		address_unref(&address);
		free(user);
		free(tag);
		free(text);
	}
}

static void test_the_extension_survives_a_full_form_too_long(void **state)
{
	char *tag = unit_repeat("T", 300);
	char *text = xasprintf("joe+%s@example.com", tag);
	char *want = xasprintf("+%s", tag);
	struct address *address = parse(ADDRESS_MAIL, text, strlen(text));

	(void)state;
	WANT_TEXT("the form", address->forms[0].local, "joe");
	WANT_TEXT("its extension", address->forms[0].extension, want);
	address_unref(&address);
	free(tag);
	free(text);
	free(want);
}

static void test_domain_limits(void **state)
{
	static const struct {
		const char *name;
		enum address_kind kind;
		size_t len;	/* of the domain */
		bool ok;
	} rows[] = {
		{ "mail, 191", ADDRESS_MAIL, 191, true },
		{ "mail, 192", ADDRESS_MAIL, 192, false },
		{ "login, 191", ADDRESS_LOGIN, 191, true },
		{ "login, 192", ADDRESS_LOGIN, 192, false },
		{ "domain, 191", ADDRESS_DOMAIN, 191, true },
		{ "domain, 192", ADDRESS_DOMAIN, 192, false },
		{ "domain, 10,000", ADDRESS_DOMAIN, 10000, false },
		{ "TLS key, 191", ADDRESS_TLS, 191, true },
		{ "TLS key, 192", ADDRESS_TLS, 192, false },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		bool mail = row->kind == ADDRESS_MAIL || row->kind == ADDRESS_LOGIN;
		char *domain = unit_repeat("d", row->len);
		char *text = xasprintf("%s%s", mail ? "a@" : "", domain);
		struct address *address = parse(row->kind, text, strlen(text));

		WANT(row->name, (address != NULL) == row->ok);
		address_unref(&address);
		free(domain);
		free(text);
	}
}

/* ---- bytes ---- */

#define BYTES(literal) (literal), sizeof(literal) - 1

static const struct {
	const char *name, *bytes;
	size_t len;
	bool clean;
} texts[] = {
	{ "empty", BYTES(""), true },
	{ "ASCII", BYTES(" ~"), true },
	{ "two bytes, first", BYTES("\xc2\xa0"), true },
	{ "two bytes, last", BYTES("\xdf\xbf"), true },
	{ "three bytes, first", BYTES("\xe0\xa0\x80"), true },
	{ "below the surrogates", BYTES("\xed\x9f\xbf"), true },
	{ "above the surrogates", BYTES("\xee\x80\x80"), true },
	{ "four bytes, first", BYTES("\xf0\x90\x80\x80"), true },
	{ "last of all", BYTES("\xf4\x8f\xbf\xbf"), true },
	{ "NUL", BYTES("a\0b"), false },
	{ "NUL at the end", BYTES("a\0"), false },
	{ "tab", BYTES("a\tb"), false },
	{ "newline", BYTES("a\nb"), false },
	{ "carriage return", BYTES("a\r"), false },
	{ "escape", BYTES("\x1b[0m"), false },
	{ "unit separator", BYTES("\x1f"), false },
	{ "DEL", BYTES("a\x7f"), false },
	{ "C1, first", BYTES("\xc2\x80"), false },
	{ "C1, next line", BYTES("a\xc2\x85"), false },
	{ "C1, last", BYTES("\xc2\x9f"), false },
	{ "a lone continuation byte", BYTES("\x80"), false },
	{ "a lone lead byte", BYTES("\xc3"), false },
	{ "a lead byte at the end", BYTES("ab\xc2"), false },
	{ "two of three bytes", BYTES("\xe2\x82"), false },
	{ "three of four bytes", BYTES("\xf0\x9f\x98"), false },
	{ "a lead byte and ASCII", BYTES("\xc3(") , false },
	{ "overlong of two", BYTES("\xc0\xaf"), false },
	{ "overlong of two, C1", BYTES("\xc1\xbf"), false },
	{ "overlong of three", BYTES("\xe0\x9f\xbf"), false },
	{ "overlong of four", BYTES("\xf0\x8f\xbf\xbf"), false },
	{ "overlong NUL", BYTES("\xc0\x80"), false },
	{ "high surrogate", BYTES("\xed\xa0\x80"), false },
	{ "low surrogate", BYTES("\xed\xbf\xbf"), false },
	{ "above U+10FFFF", BYTES("\xf4\x90\x80\x80"), false },
	{ "five bytes", BYTES("\xf8\x88\x80\x80\x80"), false },
	{ "FE", BYTES("\xfe"), false },
	{ "FF", BYTES("\xff"), false },
	{ "Latin 1", BYTES("j\xf6rg"), false },
};

static void test_clean_text(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, texts) {
		char *exact = unit_exact(row->bytes, row->len);

		WANT(row->name, text_is_clean(exact, row->len) == row->clean);
		free(exact);
	}
}

/* Tries the text as local part, as domain, as domain key and as TLS key. */
static void test_dirty_names_do_not_exist(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, texts) {
		static const enum address_kind kinds[] = { ADDRESS_MAIL, ADDRESS_MAIL,
							   ADDRESS_LOGIN, ADDRESS_DOMAIN,
							   ADDRESS_TLS };
		static const char *const before[] = { "x", "x@y", "x", "x", "[x" };
		static const char *const after[] = { "@y", "", "@y", "", "]" };

		if (row->clean)
			continue;
		for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
			struct buf text = BUF_INIT(100);
			struct address *address;

			buf_puts(&text, before[i]);
			buf_put(&text, row->bytes, row->len);
			buf_puts(&text, after[i]);
			address = parse(kinds[i], text.data, text.len);
			WANT(row->name, address == NULL);
			address_unref(&address);
			buf_free(&text);
		}
	}
}

static void test_every_control_byte(void **state)
{
	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		char text[] = { 'a', (char)byte, 'b' };
		bool want = byte >= 0x20 && byte < 0x7f;

		WANT("a byte alone is clean if it is printable ASCII",
		     text_is_clean(text, sizeof(text)) == want);
	}
}

/* ---- the external form ---- */

static const struct {
	const char *name, *stored, *extension, *want;
} externals[] = {
	{ "plain", "joe@example.com", "", "joe@example.com" },
	{ "case stays", "Joe@Example.com", "", "Joe@Example.com" },
	{ "an extension goes to the local part", "joe@example.com", "+Tag",
	  "joe+Tag@example.com" },
	{ "dots inside", "j.o.e@example.com", "", "j.o.e@example.com" },
	{ "atext of every kind", "!#$%&'*+-/=?^_`{|}~9@example.com", "",
	  "!#$%&'*+-/=?^_`{|}~9@example.com" },
	{ "UTF-8 needs no quotes", "j\xc3\xb6rg@example.com", "", "j\xc3\xb6rg@example.com" },
	{ "a blank is quoted", "joe smith@example.com", "", "\"joe smith\"@example.com" },
	{ "the extension is inside the quotes", "joe smith@example.com", "+x",
	  "\"joe smith+x\"@example.com" },
	{ "a comma is quoted", "a,b@example.com", "", "\"a,b\"@example.com" },
	{ "a quote is escaped", "a\"b@example.com", "", "\"a\\\"b\"@example.com" },
	{ "a backslash is escaped", "a\\b@example.com", "", "\"a\\\\b\"@example.com" },
	{ "an at sign is quoted", "a@b@example.com", "", "\"a@b\"@example.com" },
	{ "angle brackets", "<a>@example.com", "", "\"<a>\"@example.com" },
	{ "parentheses", "a(b)@example.com", "", "\"a(b)\"@example.com" },
	{ "square brackets", "[a]@example.com", "", "\"[a]\"@example.com" },
	{ "a colon", "a:b@example.com", "", "\"a:b\"@example.com" },
	{ "a semicolon", "a;b@example.com", "", "\"a;b\"@example.com" },
	{ "a leading dot", ".a@example.com", "", "\".a\"@example.com" },
	{ "a trailing dot", "a.@example.com", "", "\"a.\"@example.com" },
	{ "two dots", "a..b@example.com", "", "\"a..b\"@example.com" },
	{ "a trailing dot in the extension", "a@example.com", "+x.",
	  "\"a+x.\"@example.com" },
	{ "a comma in the extension", "a@example.com", "+x,y@z",
	  "\"a+x,y@z\"@example.com" },
	{ "a quote in the extension", "a@example.com", "+\"", "\"a+\\\"\"@example.com" },
	{ "an empty local part", "@example.com", "", "\"\"@example.com" },
	{ "quoted as stored", "\"joe smith\"@example.com", "", "\"joe smith\"@example.com" },
	{ "quoted as stored, with an extension", "\"joe smith\"@example.com", "+x",
	  "\"joe smith+x\"@example.com" },
	{ "quoted pairs as stored", "\"a\\\"b\"@example.com", "",
	  "\"a\\\"b\"@example.com" },
	{ "one quote", "\"@example.com", "", "\"\\\"\"@example.com" },
	{ "no domain", "root", "", "root" },
	{ "no domain, with an extension", "root", "+x", "root+x" },
	{ "a U-label domain becomes its A-label", "joe@" BUECHER ".example", "",
	  "joe@" BUECHER_A ".example" },
	{ "an A-label domain stays", "joe@" BUECHER_A ".example", "",
	  "joe@" BUECHER_A ".example" },
	/* The sender of a mail chooses the extension, an admin the rest. */
	{ "an extension cannot end a stored quoted string", "\"jane doe\"@example.com",
	  "+\",x@evil.example,\"", "\"jane doe+\\\",x@evil.example,\\\"\"@example.com" },
	{ "nor eat its end", "\"jane doe\"@example.com", "+\\",
	  "\"jane doe+\\\\\"@example.com" },
	{ "what only looks quoted is quoted", "\"a\"@evil.example,\"b\"@example.com", "",
	  "\"\\\"a\\\"@evil.example,\\\"b\\\"\"@example.com" },
	{ "an escaped end is no end", "\"abc\\\"@example.com", "",
	  "\"\\\"abc\\\\\\\"\"@example.com" },
};

static void test_external_form(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, externals) {
		struct buf buf = BUF_INIT(1000);
		char *got;

		address_put_external(&buf, row->stored, row->extension);
		got = buf_steal(&buf);
		WANT_TEXT(row->name, got, row->want);
		free(got);
	}
}

static void test_external_form_appends(void **state)
{
	struct buf buf = BUF_INIT(1000);
	char *got;

	(void)state;
	buf_puts(&buf, "a@b,");
	address_put_external(&buf, "c@d", "");
	got = buf_steal(&buf);
	WANT_TEXT("behind what is there", got, "a@b,c@d");
	free(got);
}

static void test_references(void **state)
{
	struct address *address = parse(ADDRESS_MAIL, "a@b", 3);
	struct address *other = address_ref(address), *none = NULL;

	(void)state;
	address_unref(&address);
	WANT("set to NULL", address == NULL);
	WANT_TEXT("the other reference holds", other->key, "a@b");
	address_unref(&other);
	address_unref(&none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_local_limits),
		UNIT_TEST(test_the_extension_survives_a_full_form_too_long),
		UNIT_TEST(test_domain_limits),
		UNIT_TEST(test_clean_text),
		UNIT_TEST(test_dirty_names_do_not_exist),
		UNIT_TEST(test_every_control_byte),
		UNIT_TEST(test_external_form),
		UNIT_TEST(test_external_form_appends),
		UNIT_TEST(test_references),
	};

	return cmocka_run_group_tests_name("address limits", tests, NULL, NULL);
}
