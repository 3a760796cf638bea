/* SPDX-License-Identifier: MIT */
#include "common/lookup.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <utlist.h>

#include "common/cache.h"
#include "common/fetch.h"
#include "common/xalloc.h"

/* One question of a lookup. */
struct part {
	struct fetch_waiter waiter;	/* first: on_fetched() casts to part */
	struct mum_lookup *lookup;
	enum question_kind kind;
	uint64_t asked_us;		/* host_now_us() when it joined a fetch */
	struct facts *facts;		/* NULL until known */
};

struct mum_lookup {
	struct lookups *lookups;
	struct address *address;
	unsigned questions;
	size_t waiting;			/* parts that wait for a fetch */
	struct mum_timer *deadline;
	enum mum_status status;
	bool stale;
	unsigned age_ms;		/* of its oldest facts */
	char *reason;
	mum_answer_fn *fn;
	void *arg;
	bool ready;			/* in lookups->ready */
	struct mum_lookup *prev, *next;
	size_t count;
	struct part parts[];
};

struct lookups {
	const struct mum_host *host;
	struct store *store;
	struct lookups_settings settings;
	struct cache *cache;
	struct fetches *fetches;
	struct mum_lookup *waiting;	/* at least one part waits for a fetch */
	struct mum_lookup *ready;	/* answers to hand out */
	size_t ready_count;
	struct mum_timer *ready_timer;
	struct mum_stats *stats;	/* borrowed */
};

/* All the questions take the same kind. */
static enum address_kind key_kind(unsigned questions)
{
	return mum_question_key((enum question_kind)(ffs((int)questions) - 1));
}

/* ---- parts ---- */

static void part_leave(struct part *part)
{
	if (part->waiter.fetch == NULL)
		return;
	part->lookup->waiting--;
	fetch_leave(&part->waiter);
}

/* Counts how long the part has waited, whatever came of it. */
static void part_measure(struct part *part)
{
	struct lookups *lookups = part->lookup->lookups;

	mum_histogram_add(&lookups->stats->questions[part->kind].duration,
			  host_now_us(lookups->host) - part->asked_us);
}

/* Cached facts, fresh or stale: better than none. *age_r is their age. */
static struct facts *stale_facts(const struct part *part, uint64_t *age_r)
{
	struct mum_lookup *lookup = part->lookup;
	struct lookups *lookups = lookup->lookups;
	struct facts *facts;

	if (!mum_question_is_cached(part->kind) || lookups->settings.stale_ms == 0 ||
	    (lookup->questions & MUM_FRESH) != 0)
		return NULL;
	facts = cache_get(lookups->cache, part->kind, lookup->address->key,
			  host_now(lookups->host), age_r);
	return facts != NULL && *age_r <= lookups->settings.stale_ms ? facts : NULL;
}

static void part_take(struct part *part, struct facts *facts, unsigned age_ms)
{
	struct mum_lookup *lookup = part->lookup;

	part->facts = facts_ref(facts);
	if (age_ms > lookup->age_ms)
		lookup->age_ms = age_ms;
}

/* The part takes cached facts, or the whole lookup fails. */
static void part_fail(struct part *part, enum mum_status status, const char *reason)
{
	struct mum_lookup *lookup = part->lookup;
	uint64_t age;
	struct facts *stale = stale_facts(part, &age);

	if (stale != NULL) {
		part_take(part, stale, (unsigned)age);
		lookup->stale = lookup->stale || age >= lookup->lookups->settings.ttl_ms;
		return;
	}
	if (lookup->reason == NULL) {
		lookup->status = status;
		lookup->reason = xstrdup(reason);
	}
}

static void part_ask(struct part *part, uint64_t after_id)
{
	struct lookups *lookups = part->lookup->lookups;
	const struct question question = { part->kind, part->lookup->address, after_id };

	part->asked_us = host_now_us(lookups->host);
	part->lookup->waiting++;
	fetch_join(lookups->fetches, &question, &part->waiter);
}

/* Takes fresh facts, or stale ones while the store is known to be down. */
static bool part_from_cache(struct part *part)
{
	struct mum_lookup *lookup = part->lookup;
	struct lookups *lookups = lookup->lookups;
	struct facts *facts;
	uint64_t age;

	if (!mum_question_is_cached(part->kind) || (lookup->questions & MUM_FRESH) != 0)
		return false;
	facts = cache_get(lookups->cache, part->kind, lookup->address->key,
			  host_now(lookups->host), &age);
	if (facts == NULL || age >= lookups->settings.ttl_ms) {
		facts = lookups->store->up ? NULL : stale_facts(part, &age);
		lookup->stale = lookup->stale || facts != NULL;
	}
	if (facts == NULL)
		return false;
	lookups->stats->questions[part->kind].hits++;
	part_take(part, facts, (unsigned)age);
	return true;
}

/* ---- lookups ---- */

/* Leaves fetches and lists. */
static void lookup_end(struct mum_lookup *lookup)
{
	struct lookups *lookups = lookup->lookups;

	for (size_t i = 0; i < lookup->count; i++)
		part_leave(&lookup->parts[i]);
	host_untimer(lookups->host, &lookup->deadline);
	if (lookup->ready) {
		DL_DELETE(lookups->ready, lookup);
		lookups->ready_count--;
	} else {
		DL_DELETE(lookups->waiting, lookup);
	}
	lookups->stats->in_flight--;
}

static void lookup_free(struct mum_lookup *lookup)
{
	for (size_t i = 0; i < lookup->count; i++)
		facts_unref(&lookup->parts[i].facts);
	address_unref(&lookup->address);
	free(lookup->reason);
	free(lookup);
}

static void lookup_cancel(struct mum_lookup *lookup)
{
	lookup_end(lookup);
	lookup_free(lookup);
}

/* Leaves the lists before it calls: the callback may do anything but free the lookups. */
static void lookup_answer(struct mum_lookup *lookup)
{
	struct lookups *lookups = lookup->lookups;
	struct mum_answer answer = { .status = lookup->status,
				     .stale = lookup->stale,
				     .age_ms = lookup->age_ms,
				     .drops_extension = lookups->settings.drops_extension,
				     .catch_all_senders = lookups->settings.catch_all_senders,
				     .address = lookup->address,
				     .reason = lookup->reason };

	for (size_t i = 0; i < lookup->count; i++)
		answer.facts[lookup->parts[i].kind] = lookup->parts[i].facts;
	if (answer.stale)
		lookups->stats->stale++;
	lookup_end(lookup);
	lookup->fn(&answer, lookup->arg);
	lookup_free(lookup);
}

static void hand_out(struct lookups *lookups);

static void on_ready_timer(void *arg)
{
	struct lookups *lookups = arg;

	lookups->ready_timer = NULL;
	hand_out(lookups);
}

static void hand_out_later(struct lookups *lookups)
{
	if (lookups->ready != NULL && lookups->ready_timer == NULL)
		lookups->ready_timer = lookups->host->ops->timer(
			lookups->host->ctx, 0, on_ready_timer, lookups);
}

/* Only those that are ready now: answers may start lookups without end. */
static void hand_out(struct lookups *lookups)
{
	size_t count = lookups->ready_count;

	while (count-- > 0 && lookups->ready != NULL)
		lookup_answer(lookups->ready);
	hand_out_later(lookups);
}

static void set_ready(struct mum_lookup *lookup)
{
	struct lookups *lookups = lookup->lookups;

	if (lookup->ready)
		return;
	DL_DELETE(lookups->waiting, lookup);
	lookup->ready = true;
	DL_APPEND(lookups->ready, lookup);
	lookups->ready_count++;
}

static void on_fetched(struct fetch_waiter *waiter, enum mum_status status,
		       struct facts *facts, unsigned age_ms, const char *reason)
{
	struct part *part = (struct part *)waiter;
	struct mum_lookup *lookup = part->lookup;

	lookup->waiting--;
	part_measure(part);
	if (status == MUM_FOUND)
		part_take(part, facts, age_ms);
	else
		part_fail(part, status, reason);
	if (lookup->waiting == 0 || lookup->reason != NULL)
		set_ready(lookup);
}

/* Inside an answer: the waiters get theirs in another turn. */
static void on_fetch_over(bool may_call, void *arg)
{
	if (may_call)
		hand_out(arg);
	else
		hand_out_later(arg);
}

static void on_deadline(void *arg)
{
	struct mum_lookup *lookup = arg;
	struct lookups *lookups = lookup->lookups;

	lookup->deadline = NULL;
	lookups->stats->timeouts++;
	for (size_t i = 0; i < lookup->count; i++) {
		struct part *part = &lookup->parts[i];

		if (part->waiter.fetch == NULL)
			continue;
		part_leave(part);
		part_measure(part);
		part_fail(part, MUM_TEMPFAIL, "the database gave no answer in time");
	}
	set_ready(lookup);
	hand_out(lookups);
}

/* Decimal digits and nothing else. */
static bool read_id(const char *key, size_t key_len, uint64_t *id_r)
{
	if (key_len == 0 || key_len > 19)
		return false;
	for (size_t i = 0; i < key_len; i++) {
		if (key[i] < '0' || key[i] > '9')
			return false;
		*id_r = *id_r * 10 + (uint64_t)(key[i] - '0');
	}
	return true;
}

/* Reads the key; false when no such name can exist. */
static bool read_key(struct mum_lookup *lookup, const char *key, size_t key_len,
		     uint64_t *after_id_r)
{
	const struct lookups_settings *settings = &lookup->lookups->settings;
	enum address_kind kind = key_kind(lookup->questions);

	*after_id_r = 0;
	if ((lookup->questions & MUM_ASK(MUM_USERS)) != 0)
		return read_id(key, key_len, after_id_r);
	lookup->address = address_new(kind, key, key_len, settings->recipient_delimiter);
	if (lookup->address != NULL && kind == ADDRESS_MAIL)
		address_add_fallbacks(lookup->address, &settings->recipients.fallbacks);
	return lookup->address != NULL;
}

static void ask(struct mum_lookup *lookup, uint64_t after_id)
{
	for (size_t i = 0; i < lookup->count; i++) {
		struct part *part = &lookup->parts[i];

		if (!part_from_cache(part))
			part_ask(part, after_id);
	}
}

static size_t count_questions(unsigned questions)
{
	size_t count = 0;

	for (int i = 0; i < MUM_QUESTIONS; i++)
		count += (questions & MUM_ASK(i)) != 0;
	return count;
}

/* Nothing is asked yet. */
static struct mum_lookup *lookup_new(struct lookups *lookups, unsigned questions)
{
	struct mum_lookup *lookup = xcalloc(
		1, sizeof(*lookup) + count_questions(questions) * sizeof(lookup->parts[0]));

	lookup->lookups = lookups;
	lookup->questions = questions;
	for (int i = 0; i < MUM_QUESTIONS; i++) {
		if ((questions & MUM_ASK(i)) != 0)
			lookup->parts[lookup->count++] = (struct part){
				.lookup = lookup, .kind = (enum question_kind)i };
	}
	lookups->stats->in_flight++;
	DL_APPEND(lookups->waiting, lookup);
	return lookup;
}

struct mum_lookup *mum_lookup_start(struct lookups *lookups, unsigned questions,
				    const char *key, size_t key_len,
				    unsigned deadline_ms, mum_answer_fn *fn, void *arg)
{
	struct mum_lookup *lookup;
	uint64_t after_id;

	/* A catch-all owns only names that MUM does not know. */
	if (lookups->settings.catch_all_senders && (questions & MUM_ASK(MUM_OWNERS)) != 0)
		questions |= MUM_ASK(MUM_NAME);
	lookup = lookup_new(lookups, questions);
	lookup->fn = fn;
	lookup->arg = arg;
	if (read_key(lookup, key, key_len, &after_id)) {
		lookup->status = MUM_FOUND;
		ask(lookup, after_id);
	} else {
		lookup->status = MUM_NOT_FOUND;
	}
	if (lookup->waiting > 0) {
		lookup->deadline = lookups->host->ops->timer(
			lookups->host->ctx, deadline_ms, on_deadline, lookup);
		return lookup;
	}
	if ((questions & MUM_AT_ONCE) != 0) {
		lookup_answer(lookup);
		return NULL;
	}
	set_ready(lookup);
	hand_out_later(lookups);
	return lookup;
}

void mum_lookup_cancel(struct mum_lookup **_lookup)
{
	struct mum_lookup *lookup = *_lookup;

	*_lookup = NULL;
	if (lookup != NULL)
		lookup_cancel(lookup);
}

/* ---- the whole ---- */

struct lookups *lookups_new(const struct mum_host *host, struct store *store,
			    const struct lookups_settings *settings,
			    struct mum_stats *stats)
{
	struct lookups *lookups = xcalloc(1, sizeof(*lookups));

	lookups->host = host;
	lookups->store = store;
	lookups->settings = *settings;
	lookups->stats = stats;
	lookups->cache = cache_new(settings->entries);
	lookups->fetches = fetches_new(&(struct fetches_settings){
		.host = host, .store = store, .cache = lookups->cache, .stats = stats,
		.asker = { lookups, mum_lookup_start, mum_lookup_cancel },
		.recipients = &lookups->settings.recipients,
		.ttl_ms = settings->ttl_ms,
		.done = on_fetched, .over = on_fetch_over, .arg = lookups });
	return lookups;
}

void lookups_free(struct lookups **_lookups)
{
	struct lookups *lookups = *_lookups;

	*_lookups = NULL;
	if (lookups == NULL)
		return;
	fetches_stop(lookups->fetches);
	while (lookups->waiting != NULL)
		lookup_cancel(lookups->waiting);
	while (lookups->ready != NULL)
		lookup_cancel(lookups->ready);
	host_untimer(lookups->host, &lookups->ready_timer);
	fetches_free(&lookups->fetches);
	cache_free(&lookups->cache);
	free(lookups);
}
