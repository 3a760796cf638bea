/* SPDX-License-Identifier: MIT */
#include "common/address-quote.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/address-fold.h"
#include "common/text.h"
#include "common/xalloc.h"

char *address_unquote(const char *local, size_t len)
{
	char *inside, *to;

	if (len < 2 || local[0] != '"' || local[len - 1] != '"')
		return NULL;
	to = inside = xmalloc(len);
	for (size_t i = 1; i < len - 1; i++) {
		if (local[i] == '\\' && i + 1 < len - 1)
			i++;
		*to++ = local[i];
	}
	*to = '\0';
	return inside;
}

bool address_is_dot_atom(const char *text, size_t len)
{
	static const bool special[UCHAR_MAX + 1] = {
		['('] = true, [')'] = true, ['<'] = true, ['>'] = true, ['['] = true,
		[']'] = true, [':'] = true, [';'] = true, ['@'] = true, ['\\'] = true,
		[','] = true, ['"'] = true, [' '] = true
	};
	char before = '.';

	for (size_t i = 0; i < len; before = text[i++]) {
		if (special[(unsigned char)text[i]] || (text[i] == '.' && before == '.'))
			return false;
	}
	return before != '.';
}

static void put_escaped(struct buf *buf, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"' || text[i] == '\\')
			buf_puts(buf, "\\");
		buf_put(buf, text + i, 1);
	}
}

void address_put_quoted(struct buf *buf, const char *text, size_t len)
{
	buf_puts(buf, "\"");
	put_escaped(buf, text, len);
	buf_puts(buf, "\"");
}

/* ---- whole addresses ---- */

/* A quoted-string of RFC 5321 section 4.1.2: no quote inside but escaped ones. */
static bool is_quoted_string(const char *text, size_t len)
{
	if (len < 2 || text[0] != '"' || text[len - 1] != '"')
		return false;
	for (size_t i = 1; i < len - 1; i++) {
		if (text[i] == '"')
			return false;
		if (text[i] == '\\' && ++i == len - 1)
			return false;
	}
	return true;
}

/* The extension comes from a stranger, and must stay inside the local part. */
static void put_local(struct buf *buf, const char *local, size_t len,
		      const char *extension)
{
	size_t start = buf->len;

	buf_put(buf, local, len);
	buf_puts(buf, extension);
	if (buf->failed || address_is_dot_atom(buf->data + start, buf->len - start))
		return;
	buf->len = start;	/* once more, in quotes */
	buf_puts(buf, "\"");
	if (is_quoted_string(local, len))
		buf_put(buf, local + 1, len - 2);
	else
		put_escaped(buf, local, len);
	put_escaped(buf, extension, strlen(extension));
	buf_puts(buf, "\"");
}

/* Nothing that ends an address in a list of addresses (RFC 5322 section 3.4). */
static bool is_plain_domain(const char *domain)
{
	return text_is_clean(domain, strlen(domain)) &&
	       strpbrk(domain, ",;<>()\"\\ ") == NULL;
}

bool address_put_external(struct buf *buf, const char *stored, const char *extension)
{
	const char *at = strrchr(stored, '@');
	size_t local_len = at != NULL ? (size_t)(at - stored) : strlen(stored);
	char *domain;

	put_local(buf, stored, local_len, extension);
	if (at == NULL)
		return true;
	if (!is_plain_domain(at + 1))
		return false;
	buf_puts(buf, "@");
	if (text_is_ascii(at, strlen(at))) {
		buf_puts(buf, at + 1);
		return true;
	}
	domain = address_fold_domain(at + 1, strlen(at + 1));
	buf_puts(buf, domain);
	free(domain);
	return true;
}
