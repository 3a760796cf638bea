/* SPDX-License-Identifier: MIT */
#include "mumctl/reverse/name-index.h"

#include <stdlib.h>
#include <string.h>

#include "common/keyed-hash.h"
#include "common/text.h"
#include "common/xalloc.h"

struct entry {
	UT_hash_handle hh;
	bool last;		/* it is the last form of some recipient */
	size_t count;
	uint64_t *aliases;
	char key[];		/* a folded form */
};

struct name_index {
	const struct recipients_settings *settings;
	const char *delimiters;
	struct keyed_hash hash;
	struct entry *entries;
};

struct name_index *name_index_new(const struct recipients_settings *settings,
				  const char *delimiters)
{
	struct name_index *index = xcalloc(1, sizeof(*index));

	index->settings = settings;
	index->delimiters = delimiters;
	keyed_hash_init(&index->hash);
	return index;
}

void name_index_free(struct name_index **_index)
{
	struct name_index *index = *_index;
	struct entry *entry, *next;

	*_index = NULL;
	if (index == NULL)
		return;
	KEYED_FREE_WITH(index->entries, entry, next, aliases);
	free(index);
}

static void add_form(struct name_index *index, const char *key, bool last, uint64_t alias)
{
	struct entry *entry;

	KEYED_FIND(index->entries, &index->hash, key, strlen(key), entry);
	if (entry == NULL)
		KEYED_ADD(index->entries, &index->hash, key, strlen(key), entry, key);
	entry->last |= last;
	entry->aliases = xgrow(entry->aliases, entry->count, sizeof(alias));
	entry->aliases[entry->count++] = alias;
}

void name_index_add(struct name_index *index, const char *text, uint64_t alias)
{
	size_t size = text_trim(&text, strlen(text));	/* moves text */
	char *trimmed = xstrndup(text, size);
	const struct delivery_row row = { .stands_for = trimmed };
	char *name = recipient_name(&row, index->settings);
	struct address *address =
		address_new(ADDRESS_MAIL, name, strlen(name), index->delimiters);

	for (size_t i = 0; address != NULL && i < address->forms_count; i++) {
		char *key = address_form_text(address, i);

		add_form(index, key, i + 1 == address->forms_count, alias);
		free(key);
	}
	address_unref(&address);
	free(name);
	free(trimmed);
}

void name_index_find(const struct name_index *index, const char *name, name_index_fn *fn,
		     void *arg)
{
	const struct entry *entry;

	KEYED_FIND(index->entries, &index->hash, name, strlen(name), entry);
	for (size_t i = 0; entry != NULL && i < entry->count; i++)
		fn(entry->aliases[i], arg);
}

void name_index_find_wanted(const struct name_index *index, name_index_wants_fn *wants,
			    void *wants_arg, name_index_fn *fn, void *arg)
{
	for (const struct entry *entry = index->entries; entry != NULL; entry = entry->hh.next) {
		if (!entry->last || !wants(entry->key, wants_arg))
			continue;
		for (size_t i = 0; i < entry->count; i++)
			fn(entry->aliases[i], arg);
	}
}

void name_index_each_stem(const char *name, const char *delimiters, name_index_stem_fn *fn,
			  void *arg)
{
	const char *at = strrchr(name, '@');
	const char *quote = *name == '"' ? "\"" : "";

	for (const char *cut = name + 1; at != NULL && cut < at; cut++) {
		char *stem;

		if (strchr(delimiters, *cut) == NULL)
			continue;
		stem = xasprintf("%.*s%s%s", (int)(cut - name), name, quote, at);
		fn(stem, arg);
		free(stem);
	}
}
