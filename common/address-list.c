/* SPDX-License-Identifier: MIT */
#include "common/address-list.h"

#include <stdlib.h>
#include <string.h>

#include "common/address-fold.h"
#include "common/xalloc.h"

struct listed_address {
	const char *text;	/* NULL: a copy of another one */
	size_t local_len;	/* length of what stands in text before the last '@' */
	const char *folded;	/* NULL before mark_all_copies() */
	bool own;
};

void address_list_add(struct address_list *list, const char *text, bool own)
{
	const char *at = strrchr(text, '@');

	if (list->count == list->size) {
		list->size = list->size > 0 ? list->size * 2 : 8;
		list->addresses = xrealloc(list->addresses,
					   list->size * sizeof(*list->addresses));
	}
	list->addresses[list->count] = (struct listed_address){
		.text = text,
		.local_len = at != NULL ? (size_t)(at - text) : strlen(text),
		.own = own,
	};
	list->count++;
}

static int compare_locals(const struct listed_address *a, const struct listed_address *b)
{
	size_t len = a->local_len < b->local_len ? a->local_len : b->local_len;
	int order = memcmp(a->text, b->text, len);

	return order != 0 ? order : (a->local_len > b->local_len) - (a->local_len < b->local_len);
}

/*
 * Sorts addresses that fold alike together, among them those with the same bytes, and
 * among these the first to be added first: they lie in that order.
 */
static int compare_names(const void *_a, const void *_b)
{
	const struct listed_address *a = *(struct listed_address *const *)_a;
	const struct listed_address *b = *(struct listed_address *const *)_b;
	int order = strcmp(a->folded, b->folded);

	if (order == 0)
		order = compare_locals(a, b);
	return order != 0 ? order : a < b ? -1 : 1;
}

/*
 * Finds where the addresses end that fold like the one at start. *own_r: one of them
 * is own.
 */
static size_t find_end(struct listed_address *const *sorted, size_t count, size_t start,
		       bool *own_r)
{
	size_t end = start;

	*own_r = false;
	while (end < count && strcmp(sorted[end]->folded, sorted[start]->folded) == 0)
		*own_r = sorted[end++]->own || *own_r;
	return end;
}

/* Among sorted addresses that fold alike: marks all but the first of each name. */
static void mark_copies(struct listed_address *const *sorted, size_t count, bool own)
{
	struct listed_address *first = sorted[0];

	for (size_t i = 1; i < count; i++) {
		struct listed_address *address = sorted[i], *copy = address;

		if (!own && compare_locals(first, address) != 0) {
			first = address;
			continue;
		}
		if (address < first) {
			copy = first;
			first = address;
		}
		copy->text = NULL;
	}
}

/* Marks those that name an address which was there before. Takes memory of the arena. */
static void mark_all_copies(struct address_list *list, struct arena *arena)
{
	struct listed_address **sorted;
	size_t end;
	bool own;

	if (list->count < 2)
		return;
	sorted = arena_alloc(arena, list->count * sizeof(*sorted));
	for (size_t i = 0; i < list->count; i++) {
		sorted[i] = &list->addresses[i];
		sorted[i]->folded = address_keep(arena, sorted[i]->text);
	}
	qsort(sorted, list->count, sizeof(*sorted), compare_names);
	for (size_t i = 0; i < list->count; i = end) {
		end = find_end(sorted, list->count, i, &own);
		mark_copies(&sorted[i], end - i, own);
	}
}

const char **address_list_finish(struct address_list *list, struct arena *arena,
				 size_t *count_r)
{
	const char **texts = arena_alloc(arena, list->count * sizeof(*texts));
	size_t count = 0;

	mark_all_copies(list, arena);
	for (size_t i = 0; i < list->count; i++) {
		if (list->addresses[i].text != NULL)
			texts[count++] = list->addresses[i].text;
	}
	*count_r = count;
	free(list->addresses);
	*list = (struct address_list){ 0, 0, NULL };
	return texts;
}
