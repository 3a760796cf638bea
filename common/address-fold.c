/* SPDX-License-Identifier: MIT */
#include "common/address-fold.h"

#include <errno.h>
#include <idn2.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

#include "common/buf.h"
#include "common/text.h"
#include "common/xalloc.h"

/* The type of libunistring's mapping functions. */
typedef uint8_t *u8_map_fn(const uint8_t *text, size_t len, const char *language,
			   uninorm_t nf, uint8_t *result, size_t *result_len);

/*
 * Returns the mapped text, or a copy of the text when it cannot be mapped. The
 * process ends if memory runs out: the unmapped text is another name. Caller frees.
 */
static char *u8_mapped(u8_map_fn *map, uninorm_t form, const char *text, size_t len)
{
	size_t mapped_len;
	uint8_t *mapped;
	char *copy;

	errno = 0;
	mapped = map((const uint8_t *)text, len, NULL, form, NULL, &mapped_len);
	if (mapped == NULL && errno == ENOMEM)
		xchecked(NULL);
	copy = mapped == NULL ? xstrndup(text, len) : xstrndup((char *)mapped, mapped_len);
	free(mapped);
	return copy;
}

char *address_fold_local(const char *text, size_t len)
{
	if (text_is_ascii(text, len))
		return text_lower(xstrndup(text, len));
	return u8_mapped(u8_casefold, UNINORM_NFC, text, len);
}

/* Takes over `text`. */
static const char *keep(struct arena *arena, char *text)
{
	const char *kept = arena_strdup(arena, text);

	free(text);
	return kept;
}

const char *address_keep_local(struct arena *arena, const char *text, size_t len)
{
	if (text_is_ascii(text, len))
		return text_lower(arena_strndup(arena, text, len));
	return keep(arena, address_fold_local(text, len));
}

char *address_fold_case(const char *text, size_t len)
{
	if (text_is_ascii(text, len))
		return text_lower(xstrndup(text, len));
	return u8_mapped(u8_casefold, NULL, text, len);
}

/* Judges a result of libidn2: false when the name has no such form. */
static bool is_done(int result)
{
	if (result == IDN2_MALLOC)
		xchecked(NULL);
	return result == IDN2_OK;
}

/* Decodes A-labels and keeps U-labels; NULL when libidn2 cannot. */
static char *to_ulabels(const char *text)
{
	char *ulabels;

	if (!is_done(idn2_to_unicode_8z8z(text, &ulabels, 0)))
		return NULL;
	return ulabels;	/* malloc'ed by libidn2, as free() expects */
}

/*
 * The A-label form of a case-folded domain. NULL when it has none, or when UTS #46
 * would change more than the case.
 */
static char *to_alabels(const char *folded)
{
	char *alabels, *back, *given;
	bool same;

	if (!is_done(idn2_to_ascii_8z(folded, &alabels, IDN2_NONTRANSITIONAL)))
		return NULL;
	back = to_ulabels(alabels);
	given = to_ulabels(folded);
	same = back != NULL && given != NULL && strcmp(back, given) == 0;
	free(back);
	free(given);
	if (!same) {
		free(alabels);
		return NULL;
	}
	return alabels;
}

/* u8_normalize() as a u8_map_fn. */
static uint8_t *u8_normal(const uint8_t *text, size_t len, const char *language,
			  uninorm_t nf, uint8_t *result, size_t *result_len)
{
	(void)language;
	return u8_normalize(nf, text, len, result, result_len);
}

/*
 * The letters that full case folding changes and UTS #46 keeps: full folding alone
 * would take groß.example for gross.example. UTS #46 also keeps ZWJ and ZWNJ (section
 * 4.1, deviation characters), but these have no case. Before version 15.1, UTS #46
 * turned the capital sharp s into ss; we follow 15.1, whatever version libidn2 has.
 */
static const struct {
	const char *letter, *folded;
} kept_letters[] = {
	{ "\xc3\x9f", "\xc3\x9f" },		/* U+00DF sharp s */
	{ "\xe1\xba\x9e", "\xc3\x9f" },	/* U+1E9E capital sharp s */
	{ "\xcf\x82", "\xcf\x82" },		/* U+03C2 final sigma */
};

enum { KEPT_LETTERS = sizeof(kept_letters) / sizeof(kept_letters[0]) };

/* Finds the first kept letter at or after from; returns its place, or len. */
static size_t find_kept(const char *text, size_t len, size_t from, size_t *kept_r)
{
	for (size_t at = from; at < len; at++) {
		for (*kept_r = 0; *kept_r < KEPT_LETTERS; ++*kept_r) {
			const char *letter = kept_letters[*kept_r].letter;

			if (strncmp(text + at, letter, strlen(letter)) == 0)
				return at;
		}
	}
	return len;
}

/* Folds the case except for the kept letters, and composes (NFC). Caller frees. */
static char *fold_domain_case(const char *given, size_t len)
{
	struct buf folded = BUF_INIT(SIZE_MAX);
	char *text = xstrndup(given, len), *normal;

	len = strlen(text);
	for (size_t start = 0, at, kept; start < len;) {
		char *run;

		at = find_kept(text, len, start, &kept);
		run = address_fold_case(text + start, at - start);
		buf_puts(&folded, run);
		free(run);
		start = at;
		if (at < len) {
			buf_puts(&folded, kept_letters[kept].folded);
			start += strlen(kept_letters[kept].letter);
		}
	}
	free(text);
	text = buf_steal(&folded);
	normal = u8_mapped(u8_normal, UNINORM_NFC, text, strlen(text));
	free(text);
	return normal;
}

/*
 * Folds the case first, because Postfix sends a domain sometimes folded and sometimes
 * as it came in, and because older versions of libidn2 forbid some capital letters.
 */
char *address_fold_domain(const char *text, size_t len)
{
	char *folded, *alabels;

	if (text_is_ascii(text, len))
		return text_lower(xstrndup(text, len));
	folded = fold_domain_case(text, len);
	alabels = to_alabels(folded);
	if (alabels == NULL)
		return folded;
	free(folded);
	return alabels;
}

const char *address_keep_domain(struct arena *arena, const char *text, size_t len)
{
	if (text_is_ascii(text, len))
		return text_lower(arena_strndup(arena, text, len));
	return keep(arena, address_fold_domain(text, len));
}

char *address_other_spelling(const char *alabels)
{
	char *ulabels, *back;
	bool same;

	if (strstr(alabels, "xn--") == NULL)
		return NULL;
	ulabels = to_ulabels(alabels);
	if (ulabels == NULL)
		return NULL;
	back = text_is_clean(ulabels, strlen(ulabels)) ? to_alabels(ulabels) : NULL;
	same = back != NULL && strcmp(back, alabels) == 0 && strcmp(ulabels, back) != 0;
	free(back);
	if (same)
		return ulabels;
	free(ulabels);
	return NULL;
}

char *address_fold(const char *text)
{
	const char *at = strrchr(text, '@');
	char *local, *domain, *whole;

	/* In ASCII both parts fold alike. */
	if (at == NULL || text_is_ascii(text, strlen(text)))
		return address_fold_local(text, strlen(text));
	local = address_fold_local(text, (size_t)(at - text));
	domain = address_fold_domain(at + 1, strlen(at + 1));
	whole = xjoin(local, "@", domain);
	free(local);
	free(domain);
	return whole;
}

const char *address_keep(struct arena *arena, const char *text)
{
	size_t len = strlen(text);

	if (text_is_ascii(text, len))
		return text_lower(arena_strndup(arena, text, len));
	return keep(arena, address_fold(text));
}

bool address_is_same(const char *one, const char *other)
{
	char *folded, *other_folded;
	bool same;

	/* Only the case of ASCII is folded, and most addresses are ASCII. */
	if (text_is_ascii(one, strlen(one)) && text_is_ascii(other, strlen(other)))
		return strcasecmp(one, other) == 0;
	folded = address_fold(one);
	other_folded = address_fold(other);
	same = strcmp(folded, other_folded) == 0;
	free(folded);
	free(other_folded);
	return same;
}
