/* SPDX-License-Identifier: MIT */
#include "common/address.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/address-extension.h"
#include "common/address-quote.h"
#include "common/address-tls.h"
#include "common/text.h"
#include "common/xalloc.h"

/* Spare bytes, so that for most addresses one chunk of the arena is enough. */
enum { TYPICAL_ADDRESS = 64 };

static bool fits_column(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && (len <= ADDRESS_PART_MAX ||
			   text_characters(text, len) <= ADDRESS_PART_MAX);
}

/*
 * Sets the domain for comparisons, and those of its spellings that fit a column.
 * Takes over other, which may be NULL. False when none fits.
 */
static bool set_domain(struct address *address, const char *domain, char *other)
{
	address->domain = domain;
	if (fits_column(domain))
		address->domains[address->domains_count++] = domain;
	if (other != NULL && fits_column(other))
		address->domains[address->domains_count++] =
			arena_strdup(&address->arena, other);
	free(other);
	return address->domains_count > 0;
}

/* Adds a form unless it fits no column; a part too long cannot be stored. */
static void add_form(struct address *address, const char *local, size_t len,
		     const char *extension)
{
	const char *folded = address_keep_local(&address->arena, local, len);

	if (!fits_column(folded))
		return;
	address->forms[address->forms_count++] =
		(struct address_form){ folded, extension, FORM_IS_NAME };
}

/*
 * As Postfix searches (mail_addr_find(3)): in quotes where RFC 5321 wants them,
 * then without. MUM may hold either.
 */
static void add_spellings(struct address *address, const char *local, size_t len,
			  const char *extension)
{
	struct buf quoted = BUF_INIT(len * 2 + 2);

	if (!address_is_dot_atom(local, len)) {
		address_put_quoted(&quoted, local, len);
		add_form(address, quoted.data, quoted.len, extension);
	}
	add_form(address, local, len, extension);
	buf_free(&quoted);
}

static void set_forms(struct address *address, const char *local, size_t len,
		      const char *delimiters)
{
	char *unquoted = address_unquote(local, len);
	const char *plain = unquoted != NULL ? unquoted
					     : arena_strndup(&address->arena, local, len);
	size_t cut = address_find_extension(plain, delimiters);

	/* The spellings below lack these needless quotes. */
	if (unquoted != NULL && address_is_dot_atom(plain, strlen(plain)))
		add_form(address, local, len, "");
	add_spellings(address, plain, strlen(plain), "");
	if (plain[cut] != '\0')
		add_spellings(address, plain, cut,
			      arena_strndup(&address->arena, plain + cut,
					    strlen(plain + cut)));
	free(unquoted);
}

/*
 * Joins the forms, the first one last, and the domain. So the key ends with the name.
 * No part holds a control character, and the domain holds no '@'.
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
	const char *domain;

	if (at == NULL || local_len == 0)
		return false;
	if (kind == ADDRESS_LOGIN)
		add_form(address, text, local_len, "");
	else
		set_forms(address, text, local_len, delimiters);
	domain = address_keep_domain(&address->arena, at + 1, len - local_len - 1);
	if (!set_domain(address, domain, address_other_spelling(domain)) ||
	    address->forms_count == 0)
		return false;
	set_key(address);
	return true;
}

static const char *keep_tls(struct arena *arena, const char *text, size_t len)
{
	char *folded = address_fold_tls(text, len);
	const char *kept = arena_strdup(arena, folded);

	free(folded);
	return kept;
}

static bool read_domain(struct address *address, enum address_kind kind,
			const char *text, size_t len)
{
	bool tls = kind == ADDRESS_TLS;
	const char *domain;

	if (len == 0 || (!tls && memchr(text, '@', len) != NULL))
		return false;
	domain = tls ? keep_tls(&address->arena, text, len)
		     : address_keep_domain(&address->arena, text, len);
	if (!set_domain(address, domain, tls ? address_other_tls(domain)
					     : address_other_spelling(domain)))
		return false;
	address->forms[0] = (struct address_form){ "", "", FORM_IS_NAME };
	address->forms_count = 1;
	address->key = address->name = address->domain;
	return true;
}

struct address *address_new(enum address_kind kind, const char *text,
			    size_t len, const char *delimiters)
{
	struct arena arena = { NULL };
	struct address *address;
	bool ok;

	if (!text_is_clean(text, len))
		return NULL;
	arena_reserve(&arena, sizeof(*address) + 4 * len + TYPICAL_ADDRESS);
	address = arena_alloc(&arena, sizeof(*address));
	address->refs = 1;
	address->arena = arena;
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
	struct arena arena;

	*_address = NULL;
	if (address == NULL || --address->refs > 0)
		return;
	arena = address->arena;	/* a copy: the address lies in what is freed */
	arena_free(&arena);
}

char *address_form_text(const struct address *address, size_t form)
{
	const char *local = address->forms[form].local;

	return *local != '\0' || address->forms[form].kind == FORM_IS_CATCH_ALL
		       ? xjoin(local, "@", address->domain) : xstrdup(address->domain);
}

/* Is the stored text, folded, the same as one that is folded already? */
static bool folds_to(const char *stored, const char *folded,
		     char *(*fold)(const char *text, size_t len))
{
	size_t len = strlen(stored);
	char *text;
	bool same;

	if (text_is_ascii(stored, len))
		return strcasecmp(stored, folded) == 0;
	text = fold(stored, len);
	same = strcmp(text, folded) == 0;
	free(text);
	return same;
}

bool address_is_local(const struct address_form *form, const char *stored)
{
	return folds_to(stored, form->local, address_fold_local);
}

bool address_is_domain(const struct address *address, const char *stored)
{
	/* address_fold_tls() folds a domain alone like address_fold_domain(). */
	return folds_to(stored, address->domain, address_fold_tls);
}
