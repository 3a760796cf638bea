/* SPDX-License-Identifier: MIT */
/* Where the extension of a local part begins, as split_addr(3) of Postfix splits. */
#ifndef MUM_ADDRESS_EXTENSION_H
#define MUM_ADDRESS_EXTENSION_H

#include <stddef.h>

/*
 * The place of the delimiter, or the length of local if it has no extension.
 * delimiters is Postfix's recipient_delimiter, a set of bytes; "" never splits. They are
 * looked for in the local part with its case folded and nothing composed, which is what
 * smtpd sends. cleanup sends an address as it came in, and it is split in the same place.
 */
size_t address_find_extension(const char *local, const char *delimiters);

#endif
