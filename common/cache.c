/* SPDX-License-Identifier: MIT */
#include "common/cache.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/keyed-hash.h"
#include "common/xalloc.h"

/* Used entries that one put may spare, so that it never walks the whole cache. */
enum { TURNS_MAX = 100 };

struct entry {
	UT_hash_handle hh;
	struct entry *prev, *next;	/* in the order in which they go */
	struct facts *facts;
	uint64_t stored_ms;
	/* A hit only sets this: to move the entry would touch its neighbours, too. */
	bool used;
	char key[];	/* one byte for the kind, then the key */
};

struct cache {
	struct entry *by_key;
	struct entry *in_turn;
	size_t rows, rows_max;
	struct keyed_hash hash;
	/* The key of the call in progress; kept to save an allocation each time. */
	char *wanted;
	size_t wanted_len, wanted_size;
};

struct cache *cache_new(size_t rows_max)
{
	struct cache *cache = xcalloc(1, sizeof(*cache));

	cache->rows_max = rows_max;
	keyed_hash_init(&cache->hash);
	return cache;
}

/* Facts without rows count, too: their key takes memory. */
static size_t rows_of(const struct facts *facts)
{
	return facts->count > 0 ? facts->count : 1;
}

static void entry_free(struct cache *cache, struct entry *entry)
{
	HASH_DELETE(hh, cache->by_key, entry);
	DL_DELETE(cache->in_turn, entry);
	cache->rows -= rows_of(entry->facts);
	facts_unref(&entry->facts);
	free(entry);
}

void cache_free(struct cache **_cache)
{
	struct cache *cache = *_cache;

	*_cache = NULL;
	if (cache == NULL)
		return;
	while (cache->in_turn != NULL)
		entry_free(cache, cache->in_turn);
	free(cache->wanted);
	free(cache);
}

/* Spells the key into cache->wanted; returns its entry or NULL. */
static struct entry *find(struct cache *cache, enum question_kind kind,
			  const char *key, unsigned *hash_r)
{
	size_t len = strlen(key) + 1;
	struct entry *entry;

	if (len > cache->wanted_size) {
		cache->wanted_size = len * 2;
		cache->wanted = xrealloc(cache->wanted, cache->wanted_size);
	}
	cache->wanted[0] = (char)kind;
	memcpy(cache->wanted + 1, key, len - 1);
	cache->wanted_len = len;
	*hash_r = keyed_hash(&cache->hash, cache->wanted, len);
	HASH_FIND_BYHASHVALUE(hh, cache->by_key, cache->wanted, len, *hash_r, entry);
	return entry;
}

/* Room for so many rows more. */
static void make_room(struct cache *cache, size_t rows)
{
	int turns = TURNS_MAX;

	while (cache->rows + rows > cache->rows_max) {
		struct entry *entry = cache->in_turn;

		if (!entry->used || turns == 0) {
			entry_free(cache, entry);
			continue;
		}
		turns--;
		entry->used = false;
		DL_DELETE(cache->in_turn, entry);
		DL_APPEND(cache->in_turn, entry);
	}
}

void cache_put(struct cache *cache, enum question_kind kind, const char *key,
	       struct facts *facts, uint64_t now_ms)
{
	unsigned hash;
	struct entry *entry = find(cache, kind, key, &hash);
	size_t rows = rows_of(facts);

	if (entry != NULL)
		entry_free(cache, entry);
	if (cache->rows_max == 0 || (rows > 1 && rows > cache->rows_max / 4))
		return;
	make_room(cache, rows);
	cache->rows += rows;
	entry = xmalloc(sizeof(*entry) + cache->wanted_len);
	entry->facts = facts_ref(facts);
	entry->stored_ms = now_ms;
	entry->used = false;
	memcpy(entry->key, cache->wanted, cache->wanted_len);
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, cache->by_key, entry->key, cache->wanted_len,
				    hash, entry);
	DL_APPEND(cache->in_turn, entry);
}

struct facts *cache_get(struct cache *cache, enum question_kind kind,
			const char *key, uint64_t now_ms, uint64_t *age_ms_r)
{
	unsigned hash;
	struct entry *entry = find(cache, kind, key, &hash);

	if (entry == NULL)
		return NULL;
	entry->used = true;
	*age_ms_r = now_ms - entry->stored_ms;
	return entry->facts;
}

size_t cache_count(const struct cache *cache)
{
	return HASH_COUNT(cache->by_key);
}
