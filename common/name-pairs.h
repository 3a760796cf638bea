/* SPDX-License-Identifier: MIT */
/*
 * How names reach a database: as pairs of local part and domain in a JSON array,
 * each form of the address with each spelling of its domain. One statement
 * takes any number of them.
 */
#ifndef MUM_NAME_PAIRS_H
#define MUM_NAME_PAIRS_H

#include <stddef.h>

#include "common/address.h"
#include "common/buf.h"

enum {
	PAIRS_MAX = ADDRESS_FORMS_MAX * ADDRESS_SPELLINGS_MAX,	/* of one address */
	/* Bytes: columns hold 191 characters of 4 bytes, and JSON may double each. */
	PAIRS_JSON_MAX = PAIRS_MAX * (2 * ADDRESS_PART_MAX * 4 * 2 + 16)
};

/* The number of pairs of an address. They are in order of its forms. */
static inline size_t pairs_count(const struct address *address)
{
	return address->forms_count * address->domains_count;
}

/* The form that pair number `pair` asks for. */
static inline size_t pairs_form(const struct address *address, size_t pair)
{
	return pair / address->domains_count;
}

/* Appends ["local","domain"] for each pair to an array that begins with '['. */
void pairs_put_json(struct buf *json, const struct address *address);

#endif
