/* SPDX-License-Identifier: MIT */
/* What analyzers see before each source. */
#ifndef MUM_ANALYZE_SEEN_H
#define MUM_ANALYZE_SEEN_H

#include "common/xalloc.h"
/* As common/keyed-hash.h does, which may come later. */
#define uthash_malloc(size) xmalloc(size)
#include <uthash.h>
#include <utlist.h>

/*
 * They do not follow the pointers in uthash's and utlist's macros that remove an entry, and
 * believe that what was freed is still in its list. So nothing is known of such a list but
 * that it was a list.
 */
void *list_without(const void *first, const void *entry);

#undef DL_DELETE
#define DL_DELETE(head, entry) ((head) = list_without(head, entry))
#undef LL_DELETE
#define LL_DELETE(head, entry) ((head) = list_without(head, entry))
#undef HASH_DELETE
#define HASH_DELETE(hh, head, entry) ((head) = list_without(head, entry))

#endif
