/* SPDX-License-Identifier: MIT */
/*
 * The spelling under which names compare. Local parts compare under full Unicode
 * case folding and NFC. Domains compare as A-labels (UTS #46, non-transitional); a
 * U-label that UTS #46 changes by more than case (full width, zero width) is
 * another name.
 *
 * What is folded is text_is_clean(); other text comes back in some form, but
 * names nothing. Each char * is the caller's to free.
 */
#ifndef MUM_ADDRESS_FOLD_H
#define MUM_ADDRESS_FOLD_H

#include <stdbool.h>
#include <stddef.h>

char *address_fold_local(const char *text, size_t len);
/* As smtpd(8) folds keys: the case alone, nothing composed. */
char *address_fold_case(const char *text, size_t len);
char *address_fold_domain(const char *text, size_t len);

/* The folded form of a whole address: equal for equal mailboxes. */
char *address_fold(const char *text);

/* Do two whole addresses name the same mailbox? */
bool address_is_same(const char *one, const char *other);

/*
 * The other spelling, of U-labels, under which MUM may hold a folded domain: no
 * column compares the two as equal. NULL when there is none, or none that leads
 * back.
 */
char *address_other_spelling(const char *alabels);

#endif
