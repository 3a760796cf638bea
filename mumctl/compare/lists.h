/* SPDX-License-Identifier: MIT */
/* Lists with commas, as MUM's stock queries put them together: nothing is quoted. Pure. */
#ifndef MUM_COMPARE_LISTS_H
#define MUM_COMPARE_LISTS_H

#include <stdbool.h>
#include <stddef.h>

/* Is the word one of the list? NULL is an empty list. */
bool list_has(const char *list, const char *word, size_t len);
/* Does every word of one list stand in the other? */
bool list_is_within(const char *one, const char *other);
/* The same words, in whatever order. Either may be NULL, which is no list. */
bool list_is_same_set(const char *one, const char *other);
/* Was the list cut by MySQL? ours: the whole one, or NULL. */
bool list_is_cut(const char *list, const char *ours);
/* Is the word blank, or are there blanks at its ends? */
bool list_is_untrimmed(const char *word);
/* Does ours differ only by a blank in place of the first comma? */
bool list_is_joined_otherwise(const char *list, const char *ours);

#endif
