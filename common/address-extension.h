/* SPDX-License-Identifier: MIT */
/* Where the extension of a local part begins, as split_addr(3) of Postfix splits. */
#ifndef MUM_ADDRESS_EXTENSION_H
#define MUM_ADDRESS_EXTENSION_H

#include <stddef.h>

/*
 * The place of the delimiter, or the length of local if it has no extension. delimiters
 * is Postfix's recipient_delimiter, a set of bytes; "" never splits. The search runs on
 * the local part with its case folded and nothing composed, as smtpd sends it. cleanup
 * sends an address as it came in; its split is in the same place.
 */
size_t address_find_extension(const char *local, const char *delimiters);

#endif
