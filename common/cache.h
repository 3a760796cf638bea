/* SPDX-License-Identifier: MIT */
/*
 * Facts by question and key, bounded in rows, least recently used first out.
 * Knows ages and nothing else: what is fresh or stale enough is the caller's
 * decision.
 *
 * Rows, because a key costs what its facts weigh, and strangers choose keys:
 * with an extension each is another name of the same long alias.
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
void cache_put(struct cache *cache, enum mum_question question, const char *key,
	       struct facts *facts, uint64_t now_ms);
/*
 * Borrowed facts, valid until the next cache_put() or cache_free(), or NULL;
 * *age_ms_r says how old they are.
 */
struct facts *cache_get(struct cache *cache, enum mum_question question,
			const char *key, uint64_t now_ms, uint64_t *age_ms_r);
/* Of keys. */
size_t cache_count(const struct cache *cache);

#endif
