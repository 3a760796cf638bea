/* SPDX-License-Identifier: MIT */
#include "common/address-list.h"

#include <stdlib.h>
#include <string.h>

#include "common/address-fold.h"
#include "common/xalloc.h"

struct listed_address {
	const char *text;
	size_t local_len;	/* length of what stands in text before the last '@' */
	char *folded;
	bool own;
	size_t number;		/* in the order of adding */
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
		.folded = address_fold(text),
		.own = own,
		.number = list->count,
	};
	list->count++;
}

static int compare_locals(const struct listed_address *a, const struct listed_address *b)
{
	size_t len = a->local_len < b->local_len ? a->local_len : b->local_len;
	int order = memcmp(a->text, b->text, len);

	return order != 0 ? order : (a->local_len > b->local_len) - (a->local_len < b->local_len);
}

/* Sorts addresses that fold alike together, and among them those with the same bytes. */
static int compare_names(const void *_a, const void *_b)
{
	const struct listed_address *a = _a, *b = _b;
	int order = strcmp(a->folded, b->folded);

	if (order == 0)
		order = compare_locals(a, b);
	return order != 0 ? order : a->number < b->number ? -1 : 1;
}

static int compare_numbers(const void *_a, const void *_b)
{
	const struct listed_address *a = _a, *b = _b;

	return a->number < b->number ? -1 : a->number > b->number;
}

/*
 * Finds where the addresses end that fold like the one at start. *own_r: one of them
 * is own.
 */
static size_t find_end(const struct address_list *list, size_t start, bool *own_r)
{
	size_t end = start;

	*own_r = false;
	while (end < list->count &&
	       strcmp(list->addresses[end].folded, list->addresses[start].folded) == 0)
		*own_r = list->addresses[end++].own || *own_r;
	return end;
}

/* Among sorted addresses that fold alike: marks all but the first of each name. */
static void mark_copies(struct listed_address *addresses, size_t count, bool own)
{
	struct listed_address *first = &addresses[0];

	for (size_t i = 1; i < count; i++) {
		struct listed_address *address = &addresses[i], *copy = address;

		if (!own && compare_locals(first, address) != 0) {
			first = address;
			continue;
		}
		if (address->number < first->number) {
			copy = first;
			first = address;
		}
		copy->text = NULL;
	}
}

/* Of equal addresses the first stays; the others keep their order. */
static void make_unique(struct address_list *list)
{
	size_t kept = 0, end;
	bool own;

	if (list->count < 2)
		return;
	qsort(list->addresses, list->count, sizeof(*list->addresses), compare_names);
	for (size_t i = 0; i < list->count; i = end) {
		end = find_end(list, i, &own);
		mark_copies(&list->addresses[i], end - i, own);
	}
	for (size_t i = 0; i < list->count; i++) {
		if (list->addresses[i].text == NULL)
			free(list->addresses[i].folded);
		else
			list->addresses[kept++] = list->addresses[i];
	}
	list->count = kept;
	qsort(list->addresses, list->count, sizeof(*list->addresses), compare_numbers);
}

const char **address_list_finish(struct address_list *list, struct arena *arena,
				 size_t *count_r)
{
	const char **texts;

	make_unique(list);
	texts = arena_alloc(arena, list->count * sizeof(*texts));
	for (size_t i = 0; i < list->count; i++) {
		texts[i] = list->addresses[i].text;
		free(list->addresses[i].folded);
	}
	*count_r = list->count;
	free(list->addresses);
	*list = (struct address_list){ 0, 0, NULL };
	return texts;
}
