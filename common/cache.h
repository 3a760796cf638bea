/* SPDX-License-Identifier: MIT */
/*
 * Facts by kind of question and key. The number of rows is limited; the oldest facts go
 * first. Those that were used since they were put, or since they were last spared, are
 * spared once more, within limits. The cache knows how old facts are; the caller decides
 * what is fresh or stale enough.
 *
 * The limit counts rows, not keys, because strangers choose the keys: with ever new
 * extensions they can ask for the same long alias under any number of names.
 */
#ifndef MUM_CACHE_H
#define MUM_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "common/facts.h"

struct cache;

/* Facts without rows count as one. */
struct cache *cache_new(size_t rows_max);
void cache_free(struct cache **cache);

/*
 * Takes its own reference; replaces what was there. Facts that would take more
 * than a quarter of the cache are not kept. now_ms: see host_now().
 */
void cache_put(struct cache *cache, enum question_kind kind, const char *key,
	       struct facts *facts, uint64_t now_ms);
/*
 * Borrowed facts, valid until the next cache_put() or cache_free(), or NULL;
 * *age_ms_r says how old they are.
 */
struct facts *cache_get(struct cache *cache, enum question_kind kind,
			const char *key, uint64_t now_ms, uint64_t *age_ms_r);
/* The number of keys. */
size_t cache_count(const struct cache *cache);

#endif
