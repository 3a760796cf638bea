/* SPDX-License-Identifier: MIT */
/*
 * Questions about one key, and exactly one answer: from the cache, from a fetch
 * (fetch.h), or at the deadline from stale facts. Programs ask through core.h.
 */
#ifndef MUM_LOOKUP_H
#define MUM_LOOKUP_H

#include <stdint.h>

#include "common/facts.h"
#include "common/host.h"
#include "common/recipients.h"
#include "common/stats.h"
#include "common/store.h"

struct lookups;		/* everything in flight, and the cache */
struct mum_lookup;	/* one answer awaited; owned by lookups */

struct lookups_settings {
	const char *recipient_delimiter;	/* outlives the lookups */
	unsigned ttl_ms;	/* facts up to this age answer at once */
	unsigned stale_ms;	/* up to this age they answer if the store does not; 0: never */
	size_t entries;		/* of the cache */
	struct recipients_settings recipients;
	/* For every answer: see struct mum_answer. */
	bool drops_extension, catch_all_senders;
};

/* Host, store and stats are borrowed and outlive the lookups. */
struct lookups *lookups_new(const struct mum_host *host, struct store *store,
			    const struct lookups_settings *settings,
			    struct mum_stats *stats);
/* Cancels what is in flight. Not from inside an answer. */
void lookups_free(struct lookups **lookups);

/* See mum_core_ask(). */
struct mum_lookup *mum_lookup_start(struct lookups *lookups, unsigned questions,
				    const char *key, size_t key_len,
				    unsigned deadline_ms, mum_answer_fn *fn, void *arg);

/* fn never runs. Sets NULL; NULL inside is fine. */
void mum_lookup_cancel(struct mum_lookup **lookup);

#endif
