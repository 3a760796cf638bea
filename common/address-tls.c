/* SPDX-License-Identifier: MIT */
#include "common/address-tls.h"

#include <stdlib.h>
#include <string.h>

#include "common/address-fold.h"
#include "common/text.h"
#include "common/xalloc.h"

/* Where the domain stands in the key. */
static void find_domain(const char *text, size_t len, size_t *start, size_t *end)
{
	const char *close = memchr(text, ']', len);
	const char *colon = memchr(text, ':', len);

	*start = len > 0 && (text[0] == '[' || text[0] == '.') ? 1 : 0;
	*end = len;
	if (text[0] == '[' && close != NULL)
		*end = (size_t)(close - text);
	else if (text[0] != '[' && colon != NULL)
		*end = (size_t)(colon - text);
}

/* The key with another domain in it. Takes over domain. Caller frees. */
static char *put_domain(const char *key, size_t len, char *domain)
{
	size_t start, end;
	char *whole;

	find_domain(key, len, &start, &end);
	whole = xasprintf("%.*s%s%.*s", (int)start, key, domain, (int)(len - end),
			  key + end);
	free(domain);
	return whole;
}

char *address_fold_tls(const char *text, size_t len)
{
	size_t start, end;

	find_domain(text, len, &start, &end);
	return text_lower(put_domain(text, len,
				     address_fold_domain(text + start, end - start)));
}

char *address_other_tls(const char *folded)
{
	size_t len = strlen(folded), start, end;
	char *domain, *other;

	find_domain(folded, len, &start, &end);
	domain = xstrndup(folded + start, end - start);
	other = address_other_spelling(domain);
	free(domain);
	return other != NULL ? put_domain(folded, len, other) : NULL;
}
