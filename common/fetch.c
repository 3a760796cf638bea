/* SPDX-License-Identifier: MIT */
#include "common/fetch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/keyed-hash.h"
#include "common/xalloc.h"

struct fetch {
	UT_hash_handle hh;
	struct fetch *prev, *next;
	struct fetches *fetches;
	struct question question;	/* owns a reference to its address */
	struct store_request *request;	/* NULL once the store has answered */
	struct facts *facts;		/* while they are completed, with a reference */
	struct recipients_walk *walk;	/* completes them */
	uint64_t read_at;		/* host_now() when the walk began */
	struct fetch_waiter *waiters;	/* never empty but in fetch_end() */
	bool joinable;			/* in fetches->by_name; its facts are for the cache */
	size_t name_len;
	char name[];			/* kind and key, for the hash */
};

struct fetches {
	struct fetches_settings settings;
	struct fetch *all;
	struct fetch *by_name;		/* those that may be joined */
	struct keyed_hash hash;
};

/* ---- the end of one ---- */

/* Nobody joins it any more. */
static void bar(struct fetch *fetch)
{
	if (fetch->joinable)
		HASH_DELETE(hh, fetch->fetches->by_name, fetch);
	fetch->joinable = false;
}

static void fetch_free(struct fetch *fetch)
{
	bar(fetch);
	DL_DELETE(fetch->fetches->all, fetch);
	recipients_walk_cancel(&fetch->walk);
	facts_unref(&fetch->facts);
	address_unref(&fetch->question.address);
	free(fetch);
}

void fetch_leave(struct fetch_waiter *waiter)
{
	struct fetch *fetch = waiter->fetch;
	struct store *store;

	if (fetch == NULL)
		return;
	waiter->fetch = NULL;
	DL_DELETE(fetch->waiters, waiter);
	if (fetch->waiters != NULL)
		return;
	store = fetch->fetches->settings.store;
	if (fetch->request != NULL)
		store->ops->withdraw(store, fetch->request);
	fetch_free(fetch);
}

static void keep_facts(const struct fetch *fetch, const struct facts *facts, unsigned age_ms)
{
	const struct fetches_settings *settings = &fetch->fetches->settings;
	const struct question *question = &fetch->question;
	struct facts *packed;

	/* Another fetch may have put newer ones there meanwhile. */
	if (!fetch->joinable)
		return;
	packed = facts_pack(facts);
	cache_put(settings->cache, question->kind, question->address->key, packed,
		  host_now(settings->host) - age_ms);
	facts_unref(&packed);
	settings->stats->cached = cache_count(settings->cache);
}

/* Facts and reason are the caller's; facts is NULL unless status is MUM_FOUND. */
static void fetch_end(struct fetch *fetch, enum mum_status status, struct facts *facts,
		      unsigned age_ms, const char *reason)
{
	struct facts *less = NULL;

	if (status == MUM_FOUND && fetch->question.kind == MUM_DELIVERY)
		less = recipients_without_excess(facts, fetch->question.address);
	if (less != NULL)
		facts = less;
	if (status == MUM_FOUND)
		keep_facts(fetch, facts, age_ms);
	while (fetch->waiters != NULL) {
		struct fetch_waiter *waiter = fetch->waiters;

		DL_DELETE(fetch->waiters, waiter);
		waiter->fetch = NULL;
		fetch->fetches->settings.done(waiter, status, facts, age_ms, reason);
	}
	facts_unref(&less);
	fetch_free(fetch);
}

/* ---- answers of the store ---- */

/*
 * The facts were read when the walk began, and the answers that it got have grown as
 * old since.
 */
static void on_recipients(enum mum_status status, unsigned age_ms, const char *reason,
			  void *arg)
{
	struct fetch *fetch = arg;
	const struct fetches_settings *settings = &fetch->fetches->settings;
	struct facts *facts = fetch->facts;

	age_ms += (unsigned)(host_now(settings->host) - fetch->read_at);
	fetch->walk = NULL;
	fetch->facts = NULL;
	fetch_end(fetch, status, facts, age_ms, reason);
	facts_unref(&facts);
	settings->over(false, settings->arg);
}

/* True when the facts are not complete yet. */
static bool must_complete(struct fetch *fetch, struct facts *facts)
{
	const struct fetches_settings *settings = &fetch->fetches->settings;

	if (fetch->question.kind != MUM_DELIVERY)
		return false;
	fetch->walk = recipients_walk_start(&settings->asker, facts, fetch->question.address,
					    settings->recipients, on_recipients, fetch);
	if (fetch->walk == NULL)
		return false;
	fetch->facts = facts_ref(facts);
	fetch->read_at = host_now(settings->host);
	return true;
}

static void on_facts(enum mum_status status, struct facts *facts, const char *reason,
		     void *arg)
{
	struct fetch *fetch = arg;
	const struct fetches_settings *settings = &fetch->fetches->settings;

	fetch->request = NULL;
	if (status == MUM_FOUND)
		settings->stats->answered_ms = host_now(settings->host);
	if (status == MUM_FOUND && must_complete(fetch, facts)) {
		/* The questions of the walk may have been answered by the cache. */
		settings->over(false, settings->arg);
		return;
	}
	fetch_end(fetch, status, facts, 0, reason);
	settings->over(true, settings->arg);
}

/* ---- the beginning of one ---- */

static struct fetch *fetch_new(struct fetches *fetches, const struct question *question,
			       const char *name, size_t name_len)
{
	struct fetch *fetch = xcalloc(1, sizeof(*fetch) + name_len);

	fetch->fetches = fetches;
	fetch->question = *question;
	if (question->address != NULL)
		address_ref(question->address);
	fetch->joinable = mum_question_is_cached(question->kind);
	fetch->name_len = name_len;
	memcpy(fetch->name, name, name_len);
	DL_APPEND(fetches->all, fetch);
	return fetch;
}

/* Who asks now must not get facts that are older than those of the cache would be. */
static bool is_too_old(const struct fetch *fetch)
{
	const struct fetches_settings *settings = &fetch->fetches->settings;

	return fetch->walk != NULL &&
	       host_now(settings->host) - fetch->read_at >= settings->ttl_ms;
}

void fetch_join(struct fetches *fetches, const struct question *question,
		struct fetch_waiter *waiter)
{
	struct store *store = fetches->settings.store;
	struct mum_question_stats *stats = &fetches->settings.stats->questions[question->kind];
	const char *key = question->address != NULL ? question->address->key : "";
	char kind[] = { (char)('a' + question->kind), '\0' };
	char *name = xjoin(kind, key, "");
	size_t len = strlen(name);
	unsigned hash = keyed_hash(&fetches->hash, name, len);
	struct fetch *fetch = NULL;

	stats->misses++;
	if (mum_question_is_cached(question->kind))
		HASH_FIND_BYHASHVALUE(hh, fetches->by_name, name, len, hash, fetch);
	if (fetch != NULL && is_too_old(fetch)) {
		bar(fetch);
		fetch = NULL;
	}
	if (fetch != NULL) {
		stats->joined++;
	} else {
		fetch = fetch_new(fetches, question, name, len);
		if (fetch->joinable)
			HASH_ADD_KEYPTR_BYHASHVALUE(hh, fetches->by_name, fetch->name,
						    fetch->name_len, hash, fetch);
		fetch->request = store->ops->submit(store, question, on_facts, fetch);
	}
	free(name);
	waiter->fetch = fetch;
	DL_APPEND(fetch->waiters, waiter);
}

/* ---- all of them ---- */

struct fetches *fetches_new(const struct fetches_settings *settings)
{
	struct fetches *fetches = xcalloc(1, sizeof(*fetches));

	fetches->settings = *settings;
	keyed_hash_init(&fetches->hash);
	return fetches;
}

void fetches_stop(struct fetches *fetches)
{
	struct fetch *fetch;

	DL_FOREACH(fetches->all, fetch)
		recipients_walk_cancel(&fetch->walk);
}

void fetches_free(struct fetches **_fetches)
{
	struct fetches *fetches = *_fetches;

	*_fetches = NULL;
	if (fetches == NULL)
		return;
	assert(fetches->all == NULL);
	free(fetches);
}
