/* SPDX-License-Identifier: MIT */
/*
 * What a key means: mail addresses, login names, domains and TLS policy keys,
 * split, checked and folded for comparison (address-fold.h), into every form and
 * spelling that a store is asked for.
 */
#ifndef MUM_ADDRESS_H
#define MUM_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/address-fold.h"
#include "common/arena.h"

enum {
	ADDRESS_PART_MAX = 191,	/* characters; width of MUM's columns */
	/* With and without quotes, with and without extension; a role, and a catch-all. */
	ADDRESS_FORMS_MAX = 6,
	ADDRESS_SPELLINGS_MAX = 2	/* of a domain: A-label, U-label */
};

enum address_kind {
	ADDRESS_MAIL,	/* local@domain, perhaps quoted, perhaps with an extension */
	ADDRESS_LOGIN,	/* local@domain as it is stored; no extension, no quotes */
	ADDRESS_DOMAIN,	/* a domain, no '@' */
	ADDRESS_TLS	/* next-hop: domain, .domain, [host], [host]:port, host:port */
};

/* The address itself, or who gets its mail where nobody has it: address-fallback.h. */
enum address_form_kind { FORM_IS_NAME, FORM_IS_ROLE, FORM_IS_CATCH_ALL };

/* One way to read the key; the first that leads somewhere wins. */
struct address_form {
	const char *local;	/* folded, for the store; "" for a domain and a catch-all */
	const char *extension;	/* as received, delimiter included; "" if none */
	enum address_form_kind kind;
};

struct address {
	size_t refs;
	struct arena arena;	/* owns every string here, and the address itself */
	/*
	 * For a cache: all that a store is asked for. Two keys are equal if and only if
	 * all forms (without their extensions) and all domains are. The key of several
	 * forms holds control characters: never print it.
	 */
	const char *key;
	const char *name;	/* for people: the first form, folded, text_is_clean() */
	size_t forms_count;	/* 1..ADDRESS_FORMS_MAX */
	struct address_form forms[ADDRESS_FORMS_MAX];
	const char *domain;	/* folded, of any length: see address_is_domain() */
	size_t domains_count;	/* 1..ADDRESS_SPELLINGS_MAX */
	const char *domains[ADDRESS_SPELLINGS_MAX];	/* for the store: those that fit */
};

/*
 * Reads len bytes of text. NULL when no such name can exist: an empty side, no
 * '@' where one must be (or one where none may be), a part over
 * ADDRESS_PART_MAX in each spelling, NUL and other control characters, invalid UTF-8.
 * delimiters: see address_find_extension().
 */
struct address *address_new(enum address_kind kind, const char *text,
			    size_t len, const char *delimiters);
struct address *address_ref(struct address *address);
void address_unref(struct address **address);	/* sets NULL; NULL is fine */

/* A form as "local@domain", folded; "@domain" of a catch-all; a domain alone. Caller frees. */
char *address_form_text(const struct address *address, size_t form);

/* Is a stored local part or domain the one that the form asked for? */
bool address_is_local(const struct address_form *form, const char *stored);
bool address_is_domain(const struct address *address, const char *stored);

#endif
