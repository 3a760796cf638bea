/* SPDX-License-Identifier: MIT */
/* Where the extension of a local part begins, as split_addr(3) of Postfix splits. */
#ifndef MUM_ADDRESS_EXTENSION_H
#define MUM_ADDRESS_EXTENSION_H

#include <stddef.h>

/*
 * The place of the delimiter, or the length of local if it has no extension.
 * delimiters is Postfix's recipient_delimiter, a set of bytes, used as Postfix does with
 * a key that smtpd sends: its case is folded, but nothing in it composed. So what smtpd
 * and cleanup send of one address, the latter as it came in, splits alike. "" never
 * splits.
 */
size_t address_find_extension(const char *local, const char *delimiters);

#endif
