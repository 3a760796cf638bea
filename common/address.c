/* SPDX-License-Identifier: MIT */
#include "common/address.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/xalloc.h"

static bool fits_column(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && (len <= ADDRESS_PART_MAX ||
			   text_characters(text, len) <= ADDRESS_PART_MAX);
}

/*
 * A TLS policy key is a domain in brackets, with a leading dot or with a port
 * (postconf(5), smtp_tls_policy_maps): finds the domain inside it.
 */
static void tls_key_domain(const char *text, size_t len, size_t *start,
			   size_t *end)
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

/* The key with another domain in its marks. Takes over domain. Caller frees. */
static char *tls_key_with(const char *key, size_t len, char *domain)
{
	size_t start, end;
	char *whole;

	tls_key_domain(key, len, &start, &end);
	whole = xasprintf("%.*s%s%.*s", (int)start, key, domain, (int)(len - end),
			  key + end);
	free(domain);
	return whole;
}

static char *fold_tls_key(const char *text, size_t len)
{
	size_t start, end;

	tls_key_domain(text, len, &start, &end);
	return text_lower(
		tls_key_with(text, len, address_fold_domain(text + start, end - start)));
}

/* Takes over `text`. */
static const char *keep(struct address *address, char *text)
{
	const char *kept = arena_strndup(&address->arena, text, strlen(text));

	free(text);
	return kept;
}

/*
 * Sets the domain that stored ones are compared with, and of its spellings those
 * that fit a column. Takes over both; other may be NULL. False when none fits.
 */
static bool set_domain(struct address *address, char *domain, char *other)
{
	address->domain = keep(address, domain);
	if (fits_column(address->domain))
		address->domains[address->domains_count++] = address->domain;
	if (other != NULL && fits_column(other))
		address->domains[address->domains_count++] = keep(address, other);
	else
		free(other);
	return address->domains_count > 0;
}

/* Adds a form unless it fits no column; a part too long cannot be stored. */
static void add_form(struct address *address, const char *local, size_t len,
		     const char *extension)
{
	const char *folded = keep(address, address_fold_local(local, len));

	if (!fits_column(folded))
		return;
	address->forms[address->forms_count++] =
		(struct address_form){ folded, extension };
}

/* Names that are not split, see split_addr(3) of Postfix. Folded. */
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
	char ascii[2] = { *character, '\0' }, *folded;
	bool found;

	if (len == 1)
		return strchr(delimiters, *text_lower(ascii)) != NULL;
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

/* Where the extension begins, or len. */
static size_t find_extension(const char *local, const char *delimiters)
{
	size_t len = strlen(local);
	char *folded = address_fold_case(local, len);
	size_t at = strcspn(folded, delimiters);
	bool found = folded[at] != '\0' && !is_whole(folded, delimiters);

	/* Folding may have made what stands before it longer or shorter. */
	if (found && strncasecmp(local, folded, at + 1) != 0)
		at = find_delimiter(local, len, delimiters);
	free(folded);
	return found && at > 0 ? at : len;
}

/* The inside of a quoted-string, or NULL when local is none. Caller frees. */
static char *unquote(const char *local, size_t len)
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

/* dot-atom of RFC 5322 section 3.2.3, with the UTF-8 of RFC 6532. */
static bool is_dot_atom(const char *text)
{
	char before = '.';

	for (; *text != '\0'; before = *text++) {
		if (*text == '.' && before == '.')
			return false;
		if (strchr("()<>[]:;@\\,\" ", *text) != NULL)
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

/*
 * As Postfix searches (mail_addr_find(3)): in quotes where RFC 5321 wants them,
 * then without. MUM may hold either.
 */
static void add_spellings(struct address *address, const char *local, size_t len,
			  const char *extension)
{
	struct buf quoted = BUF_INIT(len * 2 + 2);
	char *plain = xstrndup(local, len);

	if (!is_dot_atom(plain)) {
		buf_puts(&quoted, "\"");
		put_escaped(&quoted, local, len);
		buf_puts(&quoted, "\"");
		add_form(address, quoted.data, quoted.len, extension);
	}
	add_form(address, local, len, extension);
	buf_free(&quoted);
	free(plain);
}

static void set_forms(struct address *address, const char *local, size_t len,
		      const char *delimiters)
{
	char *unquoted = unquote(local, len);
	char *plain = unquoted != NULL ? unquoted : xstrndup(local, len);
	size_t cut = find_extension(plain, delimiters);

	/* Quotes that are not needed: no other spelling has them. */
	if (unquoted != NULL && is_dot_atom(plain))
		add_form(address, local, len, "");
	add_spellings(address, plain, strlen(plain), "");
	if (plain[cut] != '\0')
		add_spellings(address, plain, cut,
			      arena_strndup(&address->arena, plain + cut,
					    strlen(plain + cut)));
	free(plain);
}

/*
 * The forms, the first one last, and the domain: so the name is the key's end. No
 * part holds the control character between them, and the domain no '@'.
 */
static void set_key(struct address *address)
{
	size_t len = strlen(address->domain) + 1, count = address->forms_count;
	char *at;

	for (size_t i = 0; i < count; i++)
		len += strlen(address->forms[i].local) + 1;
	address->key = at = arena_alloc(&address->arena, len);
	for (size_t i = 1; i < count; i++) {
		at = stpcpy(at, address->forms[i].local);
		*at++ = '\1';
	}
	address->name = at;
	at = stpcpy(at, address->forms[0].local);
	*at++ = '@';
	stpcpy(at, address->domain);
}

static bool read_address(struct address *address, enum address_kind kind,
			 const char *text, size_t len, const char *delimiters)
{
	const char *at = memrchr(text, '@', len);
	size_t local_len = at != NULL ? (size_t)(at - text) : 0;
	char *domain;

	if (at == NULL || local_len == 0)
		return false;
	if (kind == ADDRESS_LOGIN)
		add_form(address, text, local_len, "");
	else
		set_forms(address, text, local_len, delimiters);
	domain = address_fold_domain(at + 1, len - local_len - 1);
	if (!set_domain(address, domain, address_other_spelling(domain)) ||
	    address->forms_count == 0)
		return false;
	set_key(address);
	return true;
}

/* The other spelling of a folded TLS key; may be NULL. Caller frees. */
static char *other_tls_key(const char *folded)
{
	size_t len = strlen(folded), start, end;
	char *domain, *other;

	tls_key_domain(folded, len, &start, &end);
	domain = xstrndup(folded + start, end - start);
	other = address_other_spelling(domain);
	free(domain);
	return other != NULL ? tls_key_with(folded, len, other) : NULL;
}

static bool read_domain(struct address *address, enum address_kind kind,
			const char *text, size_t len)
{
	bool tls = kind == ADDRESS_TLS;
	char *domain;

	if (len == 0 || (!tls && memchr(text, '@', len) != NULL))
		return false;
	domain = tls ? fold_tls_key(text, len) : address_fold_domain(text, len);
	if (!set_domain(address, domain, tls ? other_tls_key(domain)
					     : address_other_spelling(domain)))
		return false;
	address->forms[0] = (struct address_form){ "", "" };
	address->forms_count = 1;
	address->key = address->name = address->domain;
	return true;
}

struct address *address_new(enum address_kind kind, const char *text,
			    size_t len, const char *delimiters)
{
	struct address *address;
	bool ok;

	if (!text_is_clean(text, len))
		return NULL;
	address = xcalloc(1, sizeof(*address));
	address->refs = 1;
	if (kind == ADDRESS_MAIL || kind == ADDRESS_LOGIN)
		ok = read_address(address, kind, text, len, delimiters);
	else
		ok = read_domain(address, kind, text, len);
	if (!ok)
		address_unref(&address);
	return address;
}

struct address *address_ref(struct address *address)
{
	address->refs++;
	return address;
}

void address_unref(struct address **_address)
{
	struct address *address = *_address;

	*_address = NULL;
	if (address == NULL || --address->refs > 0)
		return;
	arena_free(&address->arena);
	free(address);
}

bool address_is_local(const struct address_form *form, const char *stored)
{
	size_t len = strlen(stored);
	char *folded;
	bool same;

	if (text_is_ascii(stored, len))
		return strcasecmp(stored, form->local) == 0;
	folded = address_fold_local(stored, len);
	same = strcmp(folded, form->local) == 0;
	free(folded);
	return same;
}

bool address_is_domain(const struct address *address, const char *stored)
{
	size_t len = strlen(stored);
	char *folded;
	bool same;

	if (text_is_ascii(stored, len))
		return strcasecmp(stored, address->domain) == 0;
	/* A domain and a TLS key with a domain inside fold alike but for its marks. */
	folded = fold_tls_key(stored, len);
	same = strcmp(folded, address->domain) == 0;
	free(folded);
	return same;
}

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
	char *whole = xasprintf("%.*s%s", (int)len, local, extension);

	if (is_dot_atom(whole)) {
		buf_puts(buf, whole);
	} else {
		buf_puts(buf, "\"");
		if (is_quoted_string(local, len))
			buf_put(buf, local + 1, len - 2);
		else
			put_escaped(buf, local, len);
		put_escaped(buf, extension, strlen(extension));
		buf_puts(buf, "\"");
	}
	free(whole);
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
