/* SPDX-License-Identifier: MIT */
#include "common/address-extension.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/address-fold.h"
#include "common/text.h"

/* Names that are not split. Folded. */
static bool is_whole(const char *local, const char *delimiters)
{
	static const char *const whole[] = { "postmaster", "mailer-daemon",
					     "double-bounce" };
	size_t len = strlen(local);

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
		if (strcmp(local, whole[i]) == 0)
			return true;
	}
	if (strchr(delimiters, '-') == NULL)
		return false;
	return strncmp(local, "owner-", 6) == 0 ||
	       (len > 8 && strcmp(local + len - 8, "-request") == 0);
}

/* Is there a delimiter in the folded form of a character, which may be several? */
static bool is_delimiter(const char *character, size_t len, const char *delimiters)
{
	char *folded;
	bool found;

	if (len == 1) {		/* strchr(3) would cost more than these few bytes */
		while (*delimiters != '\0' && *delimiters != text_lower_byte(*character))
			delimiters++;
		return *delimiters != '\0';
	}
	folded = address_fold_case(character, len);
	found = strpbrk(folded, delimiters) != NULL;
	free(folded);
	return found;
}

static size_t find_delimiter(const char *local, size_t len, const char *delimiters)
{
	size_t at = 0, next;

	for (; at < len; at = next) {
		next = at + text_character_len(local + at);
		if (is_delimiter(local + at, next - at, delimiters))
			break;
	}
	return at;
}

size_t address_find_extension(const char *local, const char *delimiters)
{
	size_t len = strlen(local), at;
	char *folded;
	bool found;

	/* Most names are ASCII and hold none: they need no folded copy. */
	if (text_is_ascii(local, len) && find_delimiter(local, len, delimiters) == len)
		return len;
	folded = address_fold_case(local, len);
	at = strcspn(folded, delimiters);
	found = folded[at] != '\0' && !is_whole(folded, delimiters);
	/* Folding may have changed the length before the delimiter. */
	if (found && strncasecmp(local, folded, at + 1) != 0)
		at = find_delimiter(local, len, delimiters);
	free(folded);
	return found && at > 0 ? at : len;
}
