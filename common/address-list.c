/* SPDX-License-Identifier: MIT */
#include "common/address-list.h"

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/xalloc.h"

struct listed_address {
	const char *text;
	char *folded;
	size_t number;		/* in the order of adding */
};

void address_list_add(struct address_list *list, const char *text)
{
	if (list->count == list->size) {
		list->size = list->size > 0 ? list->size * 2 : 8;
		list->addresses = xrealloc(list->addresses,
					   list->size * sizeof(*list->addresses));
	}
	list->addresses[list->count] =
		(struct listed_address){ text, address_fold(text), list->count };
	list->count++;
}

static int compare_names(const void *_a, const void *_b)
{
	const struct listed_address *a = _a, *b = _b;
	int order = strcmp(a->folded, b->folded);

	return order != 0 ? order : a->number < b->number ? -1 : 1;
}

static int compare_numbers(const void *_a, const void *_b)
{
	const struct listed_address *a = _a, *b = _b;

	return a->number < b->number ? -1 : a->number > b->number;
}

/* Of equal addresses the first stays; the others keep their order. */
static void make_unique(struct address_list *list)
{
	size_t kept = 0;

	if (list->count < 2)
		return;
	qsort(list->addresses, list->count, sizeof(*list->addresses), compare_names);
	for (size_t i = 0; i < list->count; i++) {
		struct listed_address *address = &list->addresses[i];

		if (kept > 0 &&
		    strcmp(address->folded, list->addresses[kept - 1].folded) == 0)
			free(address->folded);
		else
			list->addresses[kept++] = *address;
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
