/* SPDX-License-Identifier: MIT */
/*
 * Facts from the store, for everybody who waits for them: equal questions are asked
 * once, the facts are completed (recipients.h) and put into the cache. A fetch knows
 * nothing about those who wait for it.
 */
#ifndef MUM_FETCH_H
#define MUM_FETCH_H

#include "common/cache.h"
#include "common/host.h"
#include "common/recipients.h"
#include "common/stats.h"
#include "common/store.h"

struct fetches;	/* all that are under way */
struct fetch;	/* one question about one key; gone when nobody waits for it */

/* Who waits for a fetch. A zeroed one waits for none. */
struct fetch_waiter {
	struct fetch *fetch;	/* NULL unless it waits */
	struct fetch_waiter *prev, *next;
};

/*
 * The waiter waits no longer. Facts and reason are the caller's; facts is NULL unless
 * status is MUM_FOUND. The callback only takes note: it must not join or leave a fetch.
 */
typedef void fetch_done_fn(struct fetch_waiter *waiter, enum mum_status status,
			   struct facts *facts, unsigned age_ms, const char *reason);
/*
 * Runs when all waiters have taken note. may_call: we are in the loop, and not inside an
 * answer.
 */
typedef void fetch_over_fn(bool may_call, void *arg);

/* Everything is borrowed and outlives the fetches. */
struct fetches_settings {
	const struct mum_host *host;
	struct store *store;
	struct cache *cache;
	struct mum_stats *stats;
	struct recipients_asker asker;
	const struct recipients_settings *recipients;
	unsigned ttl_ms;		/* older facts are not shared with later waiters */
	fetch_done_fn *done;
	fetch_over_fn *over;
	void *arg;			/* of over */
};

struct fetches *fetches_new(const struct fetches_settings *settings);
/* Cancels the questions of the fetches themselves. Call it before the lookups are freed. */
void fetches_stop(struct fetches *fetches);
/* Nobody may wait now. Sets NULL; NULL is fine. */
void fetches_free(struct fetches **fetches);

/* Joins a fetch of the same facts, or starts one. */
void fetch_join(struct fetches *fetches, const struct question *question,
		struct fetch_waiter *waiter);
/* Ends the wait, if any. */
void fetch_leave(struct fetch_waiter *waiter);

#endif
