/* SPDX-License-Identifier: MIT */
/*
 * The spelling under which names compare. Local parts compare under full Unicode case
 * folding and NFC. Domains compare as A-labels (UTS #46, non-transitional); a U-label
 * that UTS #46 changes by more than case (full width, zero width) is another name.
 *
 * The text must be text_is_clean(); other text comes back in some form, but names
 * nothing. The caller frees each char * that is returned, but no const char *.
 */
#ifndef MUM_ADDRESS_FOLD_H
#define MUM_ADDRESS_FOLD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"

char *address_fold_local(const char *text, size_t len);
/* Folds the case as smtpd(8) does with its keys, and composes nothing. */
char *address_fold_case(const char *text, size_t len);
char *address_fold_domain(const char *text, size_t len);

/* The same, in the arena's memory. */
const char *address_keep_local(struct arena *arena, const char *text, size_t len);
const char *address_keep_domain(struct arena *arena, const char *text, size_t len);

/* The folded form of a whole address: equal for equal mailboxes. */
char *address_fold(const char *text);
/* The same, in the arena's memory. */
const char *address_keep(struct arena *arena, const char *text);

/* Do two whole addresses name the same mailbox? */
bool address_is_same(const char *one, const char *other);

/*
 * The spelling in U-labels under which MUM may hold a folded domain: no column
 * compares the two spellings as equal. NULL when there is none, or when it does not
 * fold back to alabels.
 */
char *address_other_spelling(const char *alabels);

#endif
