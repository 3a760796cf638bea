/* SPDX-License-Identifier: MIT */
/* A list of addresses in which each stands once. A zeroed struct is an empty list. */
#ifndef MUM_ADDRESS_LIST_H
#define MUM_ADDRESS_LIST_H

#include <stddef.h>

#include "common/arena.h"

struct address_list {
	size_t count, size;
	struct listed_address *addresses;
};

/* Adds an address as stored; text is borrowed and outlives the list. */
void address_list_add(struct address_list *list, const char *text);

/*
 * Empties and frees the list. The texts, in the order of adding, without those
 * that name an address already there (address_is_same()). The array lies in
 * the arena, the texts are those that were added.
 */
const char **address_list_finish(struct address_list *list, struct arena *arena,
				 size_t *count_r);

#endif
