/* SPDX-License-Identifier: MIT */
/* How local parts are written: when they need quotes (RFC 5321 section 4.1.2). */
#ifndef MUM_ADDRESS_QUOTE_H
#define MUM_ADDRESS_QUOTE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

/* dot-atom of RFC 5322 section 3.2.3, with the UTF-8 of RFC 6532: needs no quotes. */
bool address_is_dot_atom(const char *text, size_t len);

/* The inside of a quoted-string, or NULL when local is none. Caller frees. */
char *address_unquote(const char *local, size_t len);
/* Appends text as a quoted-string. */
void address_put_quoted(struct buf *buf, const char *text, size_t len);

/*
 * Appends a stored address in the form of RFC 5321: the local part quoted where it must
 * be, the extension put behind it, a non-ASCII domain as its A-label. False when the
 * domain could end the address in a list: then discard what was appended.
 */
bool address_put_external(struct buf *buf, const char *stored, const char *extension);

#endif
