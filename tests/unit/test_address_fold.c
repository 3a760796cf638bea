/* SPDX-License-Identifier: MIT */
/*
 * Every code point goes through the folding of local parts and of domains, and is compared
 * with what Postfix does to keys and with libidn2. The tables of libidn2 and libunistring
 * differ between releases of Debian; each answer here holds for all of them.
 */
#include "tests/unit/unit.h"

#include <idn2.h>
#include <stdio.h>
#include <unicase.h>
#include <unictype.h>
#include <uninorm.h>
#include <unistr.h>

#include "common/address-fold.h"
#include "common/text.h"
#include "common/xalloc.h"

enum { SHARP_S = 0x00df, CAPITAL_SHARP_S = 0x1e9e, FINAL_SIGMA = 0x03c2,
       IDEOGRAPHIC_FULL_STOP = 0x3002 };

/* Folds the case; form may be NULL. Caller frees. */
static char *casefold(const char *text, uninorm_t form)
{
	size_t len;
	uint8_t *folded = u8_casefold((const uint8_t *)text, strlen(text), NULL, form, NULL,
				      &len);
	char *copy = xstrndup((const char *)folded, len);

	free(folded);
	return copy;
}

/*
 * The A-labels of libidn2 (UTS #46, non-transitional); NULL if it has none. Caller frees.
 */
static char *alabels(const char *text)
{
	char *labels;

	return idn2_to_ascii_8z(text, &labels, IDN2_NONTRANSITIONAL) == IDN2_OK ? labels : NULL;
}

static bool is_assigned_plane(ucs4_t code)
{
	return code < 0x40000 || code >> 16 == 14;
}

/*
 * Calls check with each code point that may be in a name, between two texts. In planes
 * 4 to 13, 15 and 16, which are empty, only with each 61st. See UNIT_STEP.
 */
static void for_each_code(const char *before, const char *after,
			  void (*check)(ucs4_t code, const char *text))
{
	for (ucs4_t code = 0x20; code < 0x110000;
	     code += is_assigned_plane(code) ? UNIT_STEP : 61) {
		char letter[5] = "", *text;

		if (code >= 0x7f && code < 0xa0)
			code = 0xa0;
		if (code >= 0xd800 && code < 0xe000)
			code = 0xe000;
		u8_uctomb((uint8_t *)letter, code, 4);
		text = xasprintf("%s%s%s", before, letter, after);
		check(code, text);
		free(text);
	}
}

/* Names the code point only if something is wrong. */
static void want_same(const char *what, ucs4_t code, const char *got, const char *want)
{
	char *name;

	if (strcmp(got, want) == 0)
		return;
	name = xasprintf("U+%04X: %s", (unsigned)code, what);
	WANT_TEXT(name, got, want);
	free(name);
}

/* ---- local parts ---- */

static void check_stable(ucs4_t code, const char *text)
{
	char *folded = address_fold_local(text, strlen(text));
	char *again = address_fold_local(folded, strlen(folded));

	want_same("folded stays folded", code, again, folded);
	free(folded);
	free(again);
}

/* smtpd folds the case of keys and composes nothing; cleanup sends them as they came. */
static void check_sent(ucs4_t code, const char *text)
{
	char *folded = address_fold_local(text, strlen(text));
	char *sent = casefold(text, NULL);
	char *sent_folded = address_fold_local(sent, strlen(sent));

	want_same("smtpd's key and cleanup's name the same", code, sent_folded, folded);
	free(folded);
	free(sent);
	free(sent_folded);
}

static void test_every_code_point_in_a_local_part(void **state)
{
	(void)state;
	for_each_code("", "", check_stable);
	for_each_code("", "", check_sent);
	/* Above and below other letters and accents. */
	for_each_code("a", "\xcc\x81z", check_stable);
	for_each_code("a\xcc\x81", "", check_stable);
}

/* ---- domains ---- */

static bool is_kept(ucs4_t code)
{
	return code == SHARP_S || code == CAPITAL_SHARP_S || code == FINAL_SIGMA;
}

static bool is_alabel(const char *got)
{
	return text_is_ascii(got, strlen(got));
}

/*
 * UTS #46 maps it to another character, or to none: full width, zero width, full stops
 * of other scripts. To us that is another name (differences.md, D1), which is not an
 * A-label, so it belongs to nobody.
 */
static bool is_changed(ucs4_t code, const char *text, const char *got, const char *want)
{
	char *composed = casefold(text, UNINORM_NFC), *compatible = casefold(text, UNINORM_NFKC);
	bool changed = want != NULL && !is_alabel(got) &&
		       (strcmp(composed, compatible) != 0 || code == IDEOGRAPHIC_FULL_STOP ||
			uc_is_property_default_ignorable_code_point(code));

	free(composed);
	free(compatible);
	return changed;
}

/*
 * Capital letters that are newer than their small ones (Georgian), and ideographs with
 * a composed form: older tables forbid them, newer ones map them as we do.
 */
static bool is_mapped_later(ucs4_t code, const char *text, const char *got, const char *want)
{
	char *folded = casefold(text, UNINORM_NFC), *labels = alabels(folded);
	bool mapped = want == NULL && labels != NULL && strcmp(labels, got) == 0;

	(void)code;
	free(folded);
	free(labels);
	return mapped;
}

/* It cannot be in a domain: it stays as it is, and no A-label equals it. */
static bool is_in_no_domain(ucs4_t code, const char *text, const char *got, const char *want)
{
	(void)code;
	(void)text;
	return want == NULL && !is_alabel(got);
}

/* UTS #46 maps it to the sharp s since 15.1, and mapped it to ss before. */
static bool is_capital_sharp_s(ucs4_t code, const char *text, const char *got, const char *want)
{
	(void)text;
	(void)want;
	return code == CAPITAL_SHARP_S && strncmp(got, "xn--", 4) == 0;
}

/* All allowed differences from libidn2. */
static bool (*const differences[])(ucs4_t code, const char *text, const char *got,
				   const char *want) = {
	is_changed, is_mapped_later, is_in_no_domain, is_capital_sharp_s,
};

static void compare_with_libidn2(ucs4_t code, const char *text, const char *got)
{
	char *want = alabels(text);
	bool explained = want != NULL && strcmp(got, want) == 0;

	for (size_t i = 0; i < ARRAY_LEN(differences) && !explained; i++)
		explained = differences[i](code, text, got, want);
	if (!explained)
		want_same("as libidn2 says, or a difference that is known", code, got,
			  want != NULL ? want : "(none)");
	free(want);
}

static void check_other_spelling(ucs4_t code, const char *folded)
{
	char *other = address_other_spelling(folded), *back;

	if (other != NULL) {
		back = address_fold_domain(other, strlen(other));
		want_same("the other spelling leads back", code, back, folded);
		free(back);
	} else if (strstr(folded, "xn--") != NULL) {
		want_same("each A-label has another spelling", code, "(none)", folded);
	}
	free(other);
}

/* Checks that another spelling folds to the same; skips it if the text is the same. */
static void check_alike(const char *what, ucs4_t code, const char *text, const char *other,
			const char *folded)
{
	char *other_folded;

	if (strcmp(other, text) == 0)
		return;
	other_folded = address_fold_domain(other, strlen(other));
	want_same(what, code, other_folded, folded);
	free(other_folded);
}

static void check_domain(ucs4_t code, const char *text)
{
	char *folded = address_fold_domain(text, strlen(text));
	char *sent = casefold(text, NULL);

	check_alike("folded stays folded", code, text, folded, folded);
	if (!is_kept(code))
		check_alike("smtpd's key and cleanup's name the same", code, text, sent, folded);
	if (code >= 0x80) {
		compare_with_libidn2(code, text, folded);
		check_other_spelling(code, folded);
	}
	free(folded);
	free(sent);
}

static void test_every_code_point_in_a_domain(void **state)
{
	(void)state;
	for_each_code("", ".test", check_domain);
	for_each_code("a", "b.test", check_domain);
}

/* One example by name for each rule above. */
static const struct {
	const char *name, *text, *want;
} domains[] = {
	{ "dotted capital I is i and a dot above", "\xc4\xb0stanbul.test",
	  "xn--istanbul-o0e.test" },
	{ "Cherokee", "\xe1\x8e\xa0\xe1\x8e\xa1\xe1\x8e\xa2.test", "xn--58dcd.test" },
	{ "Cherokee, small", "\xea\xad\xb0\xea\xad\xb1\xea\xad\xb2.test", "xn--58dcd.test" },
	{ "Georgian capital", "\xe1\x82\xa0.test", "xn--rkj.test" },
	{ "Kelvin sign", "\xe2\x84\xaa.test", "k.test" },
	{ "a ligature is its letters", "\xef\xac\x81.test", "fi.test" },
	{ "sharp s", "gro\xc3\x9f.test", "xn--gro-7ka.test" },
	{ "capital sharp s", "GRO\xe1\xba\x9e.test", "xn--gro-7ka.test" },
	{ "capital sharp s at the very end", "x.\xe1\xba\x9e", "x.xn--zca" },
	{ "final sigma", "\xcf\x83\xcf\x82.test", "xn--3xab.test" },
	{ "capital sigma at the end of a word", "\xce\xa3\xce\xa3.test", "xn--4xaa.test" },
	{ "Roman numerals are no letters", "\xe2\x85\xa7.test", "\xe2\x85\xb7.test" },
	{ "full width", "\xef\xbd\x81.test", "\xef\xbd\x81.test" },
	{ "full width capital", "\xef\xbc\xa1.test", "\xef\xbd\x81.test" },
	{ "zero width joiner between letters", "a\xe2\x80\x8d" "b.test",
	  "a\xe2\x80\x8d" "b.test" },
};

static void test_domains_by_name(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, domains) {
		char *got = address_fold_domain(row->text, strlen(row->text));

		WANT_TEXT(row->name, got, row->want);
		free(got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_every_code_point_in_a_local_part),
		UNIT_TEST(test_every_code_point_in_a_domain),
		UNIT_TEST(test_domains_by_name),
	};

	return cmocka_run_group_tests_name("address fold", tests, NULL, NULL);
}
