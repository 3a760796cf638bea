/* SPDX-License-Identifier: MIT */
#include "common/address-fold.h"

#include <errno.h>
#include <idn2.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

#include "common/text.h"
#include "common/xalloc.h"

/* What libunistring's mapping functions have in common. */
typedef uint8_t *u8_map_fn(const uint8_t *text, size_t len, const char *language,
			   uninorm_t nf, uint8_t *result, size_t *result_len);

/*
 * The mapped text, or the text itself where it cannot be mapped, which is not
 * to say for want of memory: that would be another name. Caller frees.
 */
static char *u8_mapped(u8_map_fn *map, const char *text, size_t len)
{
	size_t mapped_len;
	uint8_t *mapped;
	char *copy;

	errno = 0;
	mapped = map((const uint8_t *)text, len, NULL, UNINORM_NFC, NULL, &mapped_len);
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
	return u8_mapped(u8_casefold, text, len);
}

/* Of what libidn2 returned: false where the name has no such form. */
static bool is_done(int result)
{
	if (result == IDN2_MALLOC)
		xchecked(NULL);
	return result == IDN2_OK;
}

/* A-labels decoded, U-labels as they are; NULL where libidn2 cannot. */
static char *to_ulabels(const char *text)
{
	char *ulabels;

	if (!is_done(idn2_to_unicode_8z8z(text, &ulabels, 0)))
		return NULL;
	return ulabels;	/* malloc'ed by libidn2, as free() expects */
}

/*
 * The A-label form of a lower-case, non-ASCII domain, or NULL when it has none
 * or when UTS #46 changed more than the case on the way there.
 */
static char *to_alabels(const char *lower)
{
	char *alabels, *back, *given;
	bool same;

	if (!is_done(idn2_to_ascii_8z(lower, &alabels, IDN2_NONTRANSITIONAL)))
		return NULL;
	back = to_ulabels(alabels);
	given = to_ulabels(lower);
	same = back != NULL && given != NULL && strcmp(back, given) == 0;
	free(back);
	free(given);
	if (!same) {
		free(alabels);
		return NULL;
	}
	return alabels;
}

/* As a u8_map_fn. */
static uint8_t *u8_normal(const uint8_t *text, size_t len, const char *language,
			  uninorm_t nf, uint8_t *result, size_t *result_len)
{
	(void)language;
	return u8_normalize(nf, text, len, result, result_len);
}

/*
 * Lower case code point by code point, as UTS #46 maps it: u8_tolower() would
 * make a capital sigma at the end of a word another letter than the small one.
 * Caller frees.
 */
static char *lower_domain(const char *text, size_t len)
{
	uint8_t *lower = xmalloc(len * 4 + 1);
	size_t at = 0, used = 0;
	char *normal;

	while (at < len) {
		ucs4_t code;

		at += (size_t)u8_mbtouc(&code, (const uint8_t *)text + at, len - at);
		used += (size_t)u8_uctomb(lower + used, uc_tolower(code), 4);
	}
	normal = u8_mapped(u8_normal, (char *)lower, used);
	free(lower);
	return normal;
}

char *address_fold_domain(const char *text, size_t len)
{
	char *lower, *alabels;

	if (text_is_ascii(text, len))
		return text_lower(xstrndup(text, len));
	lower = lower_domain(text, len);
	alabels = to_alabels(lower);
	if (alabels == NULL)
		return lower;
	free(lower);
	return alabels;
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

	if (at == NULL)
		return address_fold_local(text, strlen(text));
	local = address_fold_local(text, (size_t)(at - text));
	domain = address_fold_domain(at + 1, strlen(at + 1));
	whole = xasprintf("%s@%s", local, domain);
	free(local);
	free(domain);
	return whole;
}

bool address_is_same(const char *one, const char *other)
{
	char *folded = address_fold(one), *other_folded = address_fold(other);
	bool same = strcmp(folded, other_folded) == 0;

	free(folded);
	free(other_folded);
	return same;
}
