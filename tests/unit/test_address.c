/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "common/address.h"
#include "common/buf.h"
#include "common/xalloc.h"

#define EACUTE "\xc3\xa9"		/* U+00E9 */
#define COMBINING_ACUTE "\xcc\x81"	/* U+0301 */
#define UUML "\xc3\xbc"			/* U+00FC */
#define SHARP_S "\xc3\x9f"		/* U+00DF */
#define CAPITAL_SHARP_S "\xe1\xba\x9e"	/* U+1E9E */
#define KELVIN "\xe2\x84\xaa"		/* U+212A */
#define DOTTED_I "\xc4\xb0"		/* U+0130, upper case */
#define DOTLESS_I "\xc4\xb1"		/* U+0131, lower case */
#define SIGMA_ALPHA_SIGMA "\xce\xa3\xce\x91\xce\xa3"	/* upper case */
#define SIGMA_ALPHA_FINAL "\xcf\x83\xce\xb1\xcf\x82"	/* lower case, final form */
#define SIGMA_ALPHA_SMALL "\xcf\x83\xce\xb1\xcf\x83"	/* lower case, folded */
#define ZERO_WIDTH "\xe2\x80\x8b"	/* U+200B */
#define FULL_A "\xef\xbd\x81"		/* U+FF41 */
#define EMOJI "\xf0\x9f\x98\x80"	/* U+1F600 */
#define BUECHER "b" UUML "cher"
#define BUECHER_A "xn--bcher-kva"

/* The text is in a block of exactly its size, without a final NUL. */
static struct address *parse(enum address_kind kind, const char *text, size_t len,
			     const char *delimiters)
{
	char *exact = unit_exact(text, len);
	struct address *address = address_new(kind, exact, len, delimiters);

	free(exact);
	return address;
}

/* "key | local~extension ... | domain ..." or NULL; caller frees. */
static char *spell(const struct address *address)
{
	struct buf text = BUF_INIT(65536);

	if (address == NULL)
		return NULL;
	for (size_t i = 0; i < address->forms_count; i++)
		buf_printf(&text, "%s%s~%s", i > 0 ? " " : "", address->forms[i].local,
			   address->forms[i].extension);
	for (size_t i = 0; i < address->domains_count; i++)
		buf_printf(&text, " @%s", address->domains[i]);
	return buf_steal(&text);
}

/* ---- splitting ---- */

static const struct {
	const char *name;
	enum address_kind kind;
	const char *text, *delimiters;
	const char *want;	/* see spell(); NULL: no such name can exist */
} splits[] = {
	{ "plain", ADDRESS_MAIL, "joe@example.com", "+", "joe~ @example.com" },
	{ "case folds", ADDRESS_MAIL, "JOE@Example.COM", "+", "joe~ @example.com" },
	{ "the last at sign splits", ADDRESS_MAIL, "a@b@example.com", "+",
	  "\"a@b\"~ a@b~ @example.com" },
	{ "no at sign", ADDRESS_MAIL, "joe", "+", NULL },
	{ "empty text", ADDRESS_MAIL, "", "+", NULL },
	{ "empty local part", ADDRESS_MAIL, "@example.com", "+", NULL },
	{ "empty domain", ADDRESS_MAIL, "joe@", "+", NULL },
	{ "only an at sign", ADDRESS_MAIL, "@", "+", NULL },
	{ "a blank is a character like others", ADDRESS_MAIL, " joe@example.com", "+",
	  "\" joe\"~  joe~ @example.com" },
	{ "a trailing blank makes another domain", ADDRESS_MAIL, "joe@example.com ", "+",
	  "joe~ @example.com " },

	{ "the full address is asked first", ADDRESS_MAIL, "joe+tag@example.com", "+",
	  "joe+tag~ joe~+tag @example.com" },
	{ "an extension keeps its case", ADDRESS_MAIL, "Joe+Tag@example.com", "+",
	  "joe+tag~ joe~+Tag @example.com" },
	{ "the first delimiter splits", ADDRESS_MAIL, "joe+a+b@example.com", "+",
	  "joe+a+b~ joe~+a+b @example.com" },
	{ "an empty extension keeps its delimiter", ADDRESS_MAIL, "joe+@example.com", "+",
	  "joe+~ joe~+ @example.com" },
	{ "a leading delimiter splits nothing", ADDRESS_MAIL, "+tag@example.com", "+",
	  "+tag~ @example.com" },
	{ "nor does a later one then", ADDRESS_MAIL, "+a+b@example.com", "+",
	  "+a+b~ @example.com" },
	{ "no delimiters, no extension", ADDRESS_MAIL, "joe+tag@example.com", "",
	  "joe+tag~ @example.com" },
	{ "delimiters are a set", ADDRESS_MAIL, "joe-a+b@example.com", "+-",
	  "joe-a+b~ joe~-a+b @example.com" },
	{ "another delimiter", ADDRESS_MAIL, "joe=tag@example.com", "=",
	  "joe=tag~ joe~=tag @example.com" },
	{ "postmaster is whole", ADDRESS_MAIL, "PostMaster@example.com", "t",
	  "postmaster~ @example.com" },
	{ "mailer-daemon is whole", ADDRESS_MAIL, "MAILER-DAEMON@example.com", "-",
	  "mailer-daemon~ @example.com" },
	{ "double-bounce is whole", ADDRESS_MAIL, "double-bounce@example.com", "-",
	  "double-bounce~ @example.com" },
	{ "postmaster with an extension is split", ADDRESS_MAIL,
	  "postmaster+x@example.com", "+", "postmaster+x~ postmaster~+x @example.com" },
	{ "owner- is whole when - is a delimiter", ADDRESS_MAIL, "Owner-list@example.com",
	  "-", "owner-list~ @example.com" },
	{ "owner- is whole even with another delimiter", ADDRESS_MAIL,
	  "owner-list+x@example.com", "+-", "owner-list+x~ @example.com" },
	{ "owner- is nothing special when - is no delimiter", ADDRESS_MAIL,
	  "owner-list+x@example.com", "+", "owner-list+x~ owner-list~+x @example.com" },
	{ "-request is whole when - is a delimiter", ADDRESS_MAIL,
	  "list-Request@example.com", "-", "list-request~ @example.com" },
	{ "-request alone has no list", ADDRESS_MAIL, "-request@example.com", "-",
	  "-request~ @example.com" },
	{ "-requests is no -request", ADDRESS_MAIL, "list-requests@example.com", "-",
	  "list-requests~ list~-requests @example.com" },
	{ "owner alone is split", ADDRESS_MAIL, "owner-@example.com", "-",
	  "owner-~ @example.com" },

	{ "quoted is also tried unquoted", ADDRESS_MAIL, "\"joe smith\"@example.com", "+",
	  "\"joe smith\"~ joe smith~ @example.com" },
	{ "quoted with an extension", ADDRESS_MAIL, "\"Joe Smith+X\"@example.com", "+",
	  "\"joe smith+x\"~ joe smith+x~ \"joe smith\"~+X joe smith~+X @example.com" },
	{ "quoted pairs are unquoted", ADDRESS_MAIL, "\"a\\\"b\\\\c\"@example.com", "",
	  "\"a\\\"b\\\\c\"~ a\"b\\c~ @example.com" },
	{ "a quoted at sign", ADDRESS_MAIL, "\"a@b\"@example.com", "",
	  "\"a@b\"~ a@b~ @example.com" },
	{ "an empty quoted string has one form", ADDRESS_MAIL, "\"\"@example.com", "+",
	  "\"\"~ @example.com" },
	{ "one quote is no quoted string", ADDRESS_MAIL, "\"@example.com", "+",
	  "\"\\\"\"~ \"~ @example.com" },
	{ "a lone opening quote", ADDRESS_MAIL, "\"joe@example.com", "+",
	  "\"\\\"joe\"~ \"joe~ @example.com" },

	{ "a login has no extension", ADDRESS_LOGIN, "anna+x@example.com", "+",
	  "anna+x~ @example.com" },
	{ "a login with two at signs", ADDRESS_LOGIN, "a@b@example.com", "+",
	  "a@b~ @example.com" },
	{ "a login without a domain", ADDRESS_LOGIN, "anna", "+", NULL },

	{ "a domain", ADDRESS_DOMAIN, "Example.COM", "+", "~ @example.com" },
	{ "a domain has no at sign", ADDRESS_DOMAIN, "joe@example.com", "+", NULL },
	{ "an empty domain key", ADDRESS_DOMAIN, "", "+", NULL },
	{ "a domain with a plus", ADDRESS_DOMAIN, "a+b", "+", "~ @a+b" },
};

static void test_split(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, splits) {
		struct address *address = parse(row->kind, row->text, strlen(row->text),
						row->delimiters);
		char *got = spell(address);

		WANT_TEXT(row->name, got, row->want);
		free(got);
		address_unref(&address);
	}
}

static void test_a_login_is_never_unquoted(void **state)
{
	struct address *login = parse(ADDRESS_LOGIN, "\"joe\"@example.com", 17, "+");
	struct address *plain = parse(ADDRESS_LOGIN, "joe@example.com", 15, "+");

	(void)state;
	/* address.h: "local@domain as it is stored; no extension, no quotes". */
	WANT("a login has one form, the one that was typed",
	     login != NULL && login->forms_count == 1);
	WANT("joe has one form", plain->forms_count == 1);
	address_unref(&login);
	address_unref(&plain);
}

/* ---- domains and TLS keys ---- */

static const struct {
	const char *name;
	enum address_kind kind;
	const char *text, *want;
} domains[] = {
	{ "a U-label has both spellings", ADDRESS_DOMAIN, BUECHER ".example",
	  "~ @" BUECHER_A ".example @" BUECHER ".example" },
	{ "so has its A-label", ADDRESS_DOMAIN, BUECHER_A ".example",
	  "~ @" BUECHER_A ".example @" BUECHER ".example" },
	{ "A-labels ignore case", ADDRESS_DOMAIN, "XN--BCHER-KVA.Example",
	  "~ @" BUECHER_A ".example @" BUECHER ".example" },
	{ "U-labels ignore case", ADDRESS_DOMAIN, "B\xc3\x9c" "CHER.EXAMPLE",
	  "~ @" BUECHER_A ".example @" BUECHER ".example" },
	{ "U-labels compare composed", ADDRESS_DOMAIN, "bu\xcc\x88" "cher.example",
	  "~ @" BUECHER_A ".example @" BUECHER ".example" },
	{ "sharp s is kept (non-transitional)", ADDRESS_DOMAIN, "gro" SHARP_S ".example",
	  "~ @xn--gro-7ka.example @gro" SHARP_S ".example" },
	{ "gross.example is another name", ADDRESS_DOMAIN, "gross.example",
	  "~ @gross.example" },
	{ "a broken A-label is a name like others", ADDRESS_DOMAIN, "xn--a.example",
	  "~ @xn--a.example" },
	{ "an A-label of control characters has no other spelling", ADDRESS_DOMAIN,
	  "xn--bcher-kvn--bcher-ka.example", "~ @xn--bcher-kvn--bcher-ka.example" },
	{ "an underscore is left alone", ADDRESS_DOMAIN, "_dmarc.example",
	  "~ @_dmarc.example" },
	{ "an ideographic full stop is no dot", ADDRESS_DOMAIN,
	  BUECHER "\xe3\x80\x82" "example", "~ @" BUECHER "\xe3\x80\x82" "example" },

	{ "a TLS key is a domain", ADDRESS_TLS, "Example.COM", "~ @example.com" },
	{ "with a port", ADDRESS_TLS, "Example.COM:25", "~ @example.com:25" },
	{ "with a named port", ADDRESS_TLS, "example.com:Submission",
	  "~ @example.com:submission" },
	{ "a parent domain", ADDRESS_TLS, ".Example.COM", "~ @.example.com" },
	{ "in brackets", ADDRESS_TLS, "[Mail.Example.COM]", "~ @[mail.example.com]" },
	{ "in brackets with a port", ADDRESS_TLS, "[Mail.Example.COM]:587",
	  "~ @[mail.example.com]:587" },
	{ "an address literal", ADDRESS_TLS, "[2001:DB8::1]:25", "~ @[2001:db8::1]:25" },
	{ "brackets make another key", ADDRESS_TLS, "[example.com]", "~ @[example.com]" },
	{ "an unclosed bracket", ADDRESS_TLS, "[example.com", "~ @[example.com" },
	{ "only a bracket", ADDRESS_TLS, "[", "~ @[" },
	{ "empty brackets", ADDRESS_TLS, "[]", "~ @[]" },
	{ "only a port", ADDRESS_TLS, ":25", "~ @:25" },
	{ "only a dot", ADDRESS_TLS, ".", "~ @." },
	{ "empty TLS key", ADDRESS_TLS, "", NULL },
	{ "a U-label TLS key", ADDRESS_TLS, BUECHER ".example",
	  "~ @" BUECHER_A ".example @" BUECHER ".example" },
	{ "a U-label parent domain", ADDRESS_TLS, "." BUECHER ".example",
	  "~ @." BUECHER_A ".example @." BUECHER ".example" },
	{ "an A-label parent domain", ADDRESS_TLS, "." BUECHER_A ".example",
	  "~ @." BUECHER_A ".example @." BUECHER ".example" },
	{ "an A-label with a port", ADDRESS_TLS, BUECHER_A ".example:25",
	  "~ @" BUECHER_A ".example:25 @" BUECHER ".example:25" },
	{ "an A-label as the last label, with a port", ADDRESS_TLS, "x." BUECHER_A ":25",
	  "~ @x." BUECHER_A ":25 @x." BUECHER ":25" },
	{ "an A-label in brackets", ADDRESS_TLS, "[" BUECHER_A ".example]:25",
	  "~ @[" BUECHER_A ".example]:25 @[" BUECHER ".example]:25" },
	{ "a U-label in brackets", ADDRESS_TLS, "[" BUECHER ".example]",
	  "~ @[" BUECHER_A ".example] @[" BUECHER ".example]" },
	{ "an A-label as the last label, in brackets", ADDRESS_TLS, "[x." BUECHER_A "]",
	  "~ @[x." BUECHER_A "] @[x." BUECHER "]" },
};

static void test_domains(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, domains) {
		struct address *address = parse(row->kind, row->text, strlen(row->text), "+");
		char *got = spell(address);

		WANT_TEXT(row->name, got, row->want);
		free(got);
		address_unref(&address);
	}
}

/* ---- what compares as equal ---- */

static const struct {
	const char *name, *asked, *stored;
	bool same;
} locals[] = {
	{ "ASCII case", "JOE", "joe", true },
	{ "another name", "joe", "jo", false },
	{ "a longer stored name", "joe", "joey", false },
	{ "accents differ", "jorg", "j\xc3\xb6rg", false },
	{ "accents differ the other way", "j\xc3\xb6rg", "jorg", false },
	{ "case beyond ASCII", "J\xc3\x96RG", "j\xc3\xb6rg", true },
	{ "composed and decomposed", "e" COMBINING_ACUTE, EACUTE, true },
	{ "decomposed upper case", "E" COMBINING_ACUTE, EACUTE, true },
	{ "sharp s folds to ss", "gro" SHARP_S, "gross", true },
	{ "as smtpd sends it", "gross", "Gro" SHARP_S, true },
	{ "capital sharp s", "GRO" CAPITAL_SHARP_S, "gro" SHARP_S, true },
	{ "final sigma", SIGMA_ALPHA_SIGMA, SIGMA_ALPHA_FINAL, true },
	{ "as smtpd sends sigma", SIGMA_ALPHA_SMALL, SIGMA_ALPHA_SIGMA, true },
	{ "Kelvin sign", KELVIN "elvin", "kelvin", true },
	{ "Kelvin sign stored", "kelvin", KELVIN "elvin", true },
	{ "dotless i is no i", "I", DOTLESS_I, false },
	{ "dotted capital I is no i", DOTTED_I, "i", false },
	{ "dotted capital I is i and a dot above", DOTTED_I, "i\xcc\x87", true },
	{ "full width", FULL_A, "a", false },
	{ "full width stored", "a", FULL_A, false },
	{ "zero width", "a" ZERO_WIDTH, "a", false },
	{ "zero width stored", "a", "a" ZERO_WIDTH, false },
	{ "trailing blank", "a ", "a", false },
	{ "trailing blank stored", "a", "a ", false },
	{ "emoji", EMOJI, EMOJI, true },
	{ "another emoji", EMOJI, "\xf0\x9f\x98\x81", false },
	{ "ligatures fold fully", "\xef\xac\x81", "fi", true },
	{ "invalid UTF-8 stored is nobody", "joe", "joe\xff", false },
};

static void test_locals_compare(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, locals) {
		char *text = xasprintf("%s@example.com", row->asked);
		struct address *address = parse(ADDRESS_MAIL, text, strlen(text), "+");

		WANT(row->name, address != NULL &&
		     address_is_local(&address->forms[0], row->stored) == row->same);
		address_unref(&address);
		free(text);
	}
}

static const struct {
	const char *name, *asked, *stored;
	bool same;
} stored_domains[] = {
	{ "ASCII case", "Example.com", "eXAMPLE.COM", true },
	{ "trailing dot", "example.com", "example.com.", false },
	{ "a longer stored name", "example.com", "example.com.evil", false },
	{ "U-label asked, A-label stored", BUECHER ".example", BUECHER_A ".example", true },
	{ "A-label asked, U-label stored", BUECHER_A ".example", BUECHER ".example", true },
	{ "upper case A-label stored", BUECHER ".example", "XN--BCHER-KVA.EXAMPLE", true },
	{ "upper case U-label stored", BUECHER_A ".example", "B\xc3\x9c" "CHER.example",
	  true },
	{ "no umlaut", BUECHER ".example", "bucher.example", false },
	{ "ss asked, sharp s stored", "gross.example", "gro" SHARP_S ".example", false },
	{ "sharp s asked, ss stored", "gro" SHARP_S ".example", "gross.example", false },
	{ "capital sharp s is no ss", "GRO" CAPITAL_SHARP_S ".example", "gross.example",
	  false },
	{ "final sigma is another letter", "\xcf\x83\xce\xb1\xcf\x82.example",
	  "\xcf\x83\xce\xb1\xcf\x83.example", false },
	{ "capital sigma is sigma (UTS 46)", SIGMA_ALPHA_SIGMA ".example",
	  SIGMA_ALPHA_SMALL ".example", true },
	{ "capital sigma at the very end is sigma too", "x." SIGMA_ALPHA_SIGMA,
	  "x." SIGMA_ALPHA_SMALL, true },
	{ "Kelvin sign is a k", KELVIN ".example", "k.example", true },
	{ "full width is another name", FULL_A ".example", "a.example", false },
	{ "full width stored", "a.example", FULL_A ".example", false },
	{ "zero width stored", "a.example", "a" ZERO_WIDTH ".example", false },
	{ "zero width beside an umlaut", BUECHER ".example",
	  BUECHER ZERO_WIDTH ".example", false },
	{ "soft hyphen", BUECHER ".example", BUECHER "\xc2\xad.example", false },
	{ "emoji", EMOJI ".example", EMOJI ".example", true },
	{ "full stops of other scripts", BUECHER ".example",
	  BUECHER "\xe3\x80\x82" "example", false },
};

static void test_stored_domains_compare(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, stored_domains) {
		struct address *address =
			parse(ADDRESS_DOMAIN, row->asked, strlen(row->asked), "+");

		WANT(row->name, address != NULL &&
		     address_is_domain(address, row->stored) == row->same);
		address_unref(&address);
	}
}

static const struct {
	const char *name, *asked, *stored;
	bool same;
} stored_tls_keys[] = {
	{ "as it is", "[a.example]:25", "[A.example]:25", true },
	{ "brackets count", "a.example", "[a.example]", false },
	{ "the port counts", "a.example:25", "a.example:26", false },
	{ "the leading dot counts", ".a.example", "a.example", false },
	{ "U-label in brackets stored", "[" BUECHER_A ".example]:25",
	  "[" BUECHER ".example]:25", true },
	{ "A-label in brackets stored", "[" BUECHER ".example]:25",
	  "[" BUECHER_A ".example]:25", true },
	{ "U-label parent stored", "." BUECHER_A ".example", "." BUECHER ".example", true },
	{ "U-label with a port stored", BUECHER_A ".example:25", BUECHER ".example:25",
	  true },
	{ "upper case port name stored", BUECHER ".example:smtp", BUECHER ".example:SMTP",
	  true },
};

static void test_stored_tls_keys_compare(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, stored_tls_keys) {
		struct address *address =
			parse(ADDRESS_TLS, row->asked, strlen(row->asked), "+");

		WANT(row->name, address != NULL &&
		     address_is_domain(address, row->stored) == row->same);
		address_unref(&address);
	}
}

static void test_fold_of_a_whole_address(void **state)
{
	static const struct {
		const char *name, *text, *want;
	} rows[] = {
		{ "both sides", "Gro" SHARP_S "@B\xc3\x9c" "CHER.Example",
		  "gross@" BUECHER_A ".example" },
		{ "the last at sign", "A@B@C", "a@b@c" },
		{ "no domain", "Root", "root" },
		{ "empty", "", "" },
		{ "folded stays folded", "gross@" BUECHER_A ".example",
		  "gross@" BUECHER_A ".example" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char *got = address_fold(row->text);

		WANT_TEXT(row->name, got, row->want);
		free(got);
	}
}

static void test_equal_keys_for_equal_names(void **state)
{
	static const char *const same[] = {
		"Gro" SHARP_S "+X@B\xc3\x9c" "CHER.example",
		"gross+x@" BUECHER_A ".example",
		"GROSS+X@XN--BCHER-KVA.EXAMPLE",
	};
	struct address *first = parse(ADDRESS_MAIL, same[0], strlen(same[0]), "+");

	(void)state;
	for (size_t i = 1; i < ARRAY_LEN(same); i++) {
		struct address *address = parse(ADDRESS_MAIL, same[i], strlen(same[i]), "+");

		WANT_TEXT(same[i], address->key, first->key);
		WANT_NUMBER(same[i], address->forms_count, first->forms_count);
		address_unref(&address);
	}
	address_unref(&first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_split),
		UNIT_TEST(test_a_login_is_never_unquoted),
		UNIT_TEST(test_domains),
		UNIT_TEST(test_locals_compare),
		UNIT_TEST(test_stored_domains_compare),
		UNIT_TEST(test_stored_tls_keys_compare),
		UNIT_TEST(test_fold_of_a_whole_address),
		UNIT_TEST(test_equal_keys_for_equal_names),
	};

	return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
