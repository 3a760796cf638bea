/* SPDX-License-Identifier: MIT */
/* A list of addresses in which each stands once. A zeroed struct is an empty list. */
#ifndef MUM_ADDRESS_LIST_H
#define MUM_ADDRESS_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"

struct address_list {
	size_t count, size;
	struct listed_address *addresses;
};

/*
 * Adds an address as stored; text is borrowed and outlives the list. own: MUM knows
 * this address, so its local part compares as MUM compares it. If in doubt, pass
 * false (foreign): one mail too many does less harm than a lost one.
 */
void address_list_add(struct address_list *list, const char *text, bool own);

/*
 * Empties and frees the list. Returns the texts in the order of adding, without those
 * that name an address already there. Two own addresses, or an own one and a foreign
 * one, are the same if they fold alike (address_fold()). Two foreign ones must have
 * the same bytes before the '@', too: only their own host may say that two local parts
 * are one mailbox (RFC 5321 section 2.4). The array lies in the arena, as does what the
 * comparison needs; the texts are those that were added.
 */
const char **address_list_finish(struct address_list *list, struct arena *arena,
				 size_t *count_r);

#endif
