/* SPDX-License-Identifier: MIT */
/*
 * Facts by question and key, bounded in number, least recently used first out.
 * Knows ages and nothing else: what is fresh or stale enough is the caller's
 * decision.
 */
#ifndef MUM_CACHE_H
#define MUM_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "common/facts.h"

struct cache;

struct cache *cache_new(size_t entries_max);
void cache_free(struct cache **cache);

/* Takes its own reference; replaces what was there. now_ms: see host_now(). */
void cache_put(struct cache *cache, enum mum_question question, const char *key,
	       struct facts *facts, uint64_t now_ms);
/*
 * Borrowed facts, valid until the next cache_put() or cache_free(), or NULL;
 * *age_ms_r says how old they are.
 */
struct facts *cache_get(struct cache *cache, enum mum_question question,
			const char *key, uint64_t now_ms, uint64_t *age_ms_r);
size_t cache_count(const struct cache *cache);

#endif
