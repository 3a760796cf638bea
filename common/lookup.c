/* SPDX-License-Identifier: MIT */
#include "common/lookup.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/cache.h"
#include "common/keyed-hash.h"
#include "common/xalloc.h"

/* One question about one key at the store; several lookups may wait for it. */
struct fetch {
	UT_hash_handle hh;
	struct lookups *lookups;
	struct question question;	/* owns a reference to its address */
	struct store_request *request;	/* NULL once the store has answered */
	struct facts *facts;		/* while they are completed, with a reference */
	struct recipients_walk *walk;	/* completes them */
	uint64_t read_at;		/* host_now() when the walk began */
	struct part *waiters;		/* never empty but in fetch_end() */
	bool joinable;			/* in lookups->fetches */
	bool ending;			/* in fetch_end() */
	size_t name_len;
	char name[];			/* question and key, for the hash */
};

/* One question of a lookup. */
struct part {
	struct mum_lookup *lookup;
	struct fetch *fetch;		/* NULL unless waiting */
	struct part *prev, *next;	/* fellow waiters */
	uint64_t asked_us;		/* host_now_us(); once it has had a fetch */
	struct facts *facts;		/* NULL until there */
};

struct mum_lookup {
	struct lookups *lookups;
	struct address *address;
	unsigned questions;
	struct part parts[MUM_QUESTIONS];
	size_t waiting;			/* parts with a fetch */
	struct mum_timer *deadline;
	enum mum_status status;
	bool stale;
	unsigned age_ms;		/* of its oldest facts */
	char *reason;
	mum_answer_fn *fn;
	void *arg;
	bool ready;			/* in lookups->ready */
	struct mum_lookup *prev, *next;
};

struct lookups {
	const struct mum_host *host;
	struct store *store;
	struct lookups_settings settings;
	struct cache *cache;
	struct fetch *fetches;		/* by name */
	struct keyed_hash hash;
	struct mum_lookup *waiting;	/* at least one part has a fetch */
	struct mum_lookup *ready;	/* answers to hand out */
	size_t ready_count;
	struct mum_timer *ready_timer;
	struct mum_stats *stats;	/* borrowed */
};

/* ---- kinds of questions ---- */

static bool is_cached(enum mum_question question)
{
	return question != MUM_CREDENTIAL && question != MUM_USERS;
}

static enum address_kind key_kind(unsigned questions)
{
	if ((questions & MUM_ASK(MUM_DOMAIN)) != 0)
		return ADDRESS_DOMAIN;
	if ((questions & MUM_ASK(MUM_TLS)) != 0)
		return ADDRESS_TLS;
	if ((questions & (MUM_ASK(MUM_CREDENTIAL) | MUM_ASK(MUM_USER))) != 0)
		return ADDRESS_LOGIN;
	return ADDRESS_MAIL;
}

/* ---- fetches ---- */

static void fetch_free(struct fetch *fetch)
{
	if (fetch->joinable)
		HASH_DELETE(hh, fetch->lookups->fetches, fetch);
	recipients_walk_cancel(&fetch->walk);
	facts_unref(&fetch->facts);
	address_unref(&fetch->question.address);
	free(fetch);
}

/* Nobody waits for it any more. */
static void fetch_give_up(struct fetch *fetch)
{
	struct store *store = fetch->lookups->store;

	if (fetch->request != NULL)
		store->ops->withdraw(store, fetch->request);
	fetch_free(fetch);
}

static void part_leave(struct part *part)
{
	struct fetch *fetch = part->fetch;

	if (fetch == NULL)
		return;
	part->fetch = NULL;
	part->lookup->waiting--;
	DL_DELETE(fetch->waiters, part);
	if (fetch->waiters == NULL && !fetch->ending)
		fetch_give_up(fetch);
}

/* Its fetch has come to an end, or its lookup waits no longer. */
static void part_end(struct part *part, enum mum_question question)
{
	struct lookups *lookups = part->lookup->lookups;

	part_leave(part);
	mum_histogram_add(&lookups->stats->questions[question].duration,
			  host_now_us(lookups->host) - part->asked_us);
}

static void set_ready(struct mum_lookup *lookup);
static void hand_out(struct lookups *lookups);
static void hand_out_later(struct lookups *lookups);

/* Facts that are not fresh any more, but better than none; *age_r is theirs. */
static struct facts *stale_facts(struct mum_lookup *lookup, enum mum_question question,
				 uint64_t *age_r)
{
	struct lookups *lookups = lookup->lookups;
	struct facts *facts;

	if (!is_cached(question) || lookups->settings.stale_ms == 0 ||
	    (lookup->questions & MUM_FRESH) != 0)
		return NULL;
	facts = cache_get(lookups->cache, question, lookup->address->key,
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

/* Stale facts for the part, or the whole lookup ends in trouble. */
static void part_fail(struct part *part, enum mum_question question,
		      enum mum_status status, const char *reason)
{
	struct mum_lookup *lookup = part->lookup;
	uint64_t age;
	struct facts *stale = stale_facts(lookup, question, &age);

	if (stale != NULL) {
		part_take(part, stale, (unsigned)age);
		lookup->stale = true;
		return;
	}
	if (lookup->reason == NULL) {
		lookup->status = status;
		lookup->reason = xstrdup(reason);
	}
}

static void keep_facts(struct lookups *lookups, const struct question *question,
		       struct facts *facts, unsigned age_ms)
{
	uint64_t now = host_now(lookups->host);

	if (!is_cached(question->kind))
		return;
	cache_put(lookups->cache, question->kind, question->address->key, facts, now - age_ms);
	lookups->stats->cached = cache_count(lookups->cache);
}

/* Facts and reason are the caller's; facts is NULL unless status is MUM_FOUND. */
static void fetch_end(struct fetch *fetch, enum mum_status status, struct facts *facts,
		      unsigned age_ms, const char *reason)
{
	struct lookups *lookups = fetch->lookups;
	enum mum_question question = fetch->question.kind;
	struct facts *less = NULL;

	fetch->ending = true;
	if (status == MUM_FOUND && question == MUM_DELIVERY)
		less = recipients_without_excess(facts, fetch->question.address);
	if (less != NULL)
		facts = less;
	if (status == MUM_FOUND)
		keep_facts(lookups, &fetch->question, facts, age_ms);
	while (fetch->waiters != NULL) {
		struct part *part = fetch->waiters;
		struct mum_lookup *lookup = part->lookup;

		part_end(part, question);
		if (status == MUM_FOUND)
			part_take(part, facts, age_ms);
		else
			part_fail(part, question, status, reason);
		if (lookup->waiting == 0 || lookup->reason != NULL)
			set_ready(lookup);
	}
	facts_unref(&less);
	fetch_free(fetch);
}

/*
 * Inside an answer: who waits is answered in another turn of the loop. The facts were
 * read when the walk began, and the answers that it got have grown as old since.
 */
static void on_recipients(enum mum_status status, unsigned age_ms, const char *reason,
			  void *arg)
{
	struct fetch *fetch = arg;
	struct lookups *lookups = fetch->lookups;
	struct facts *facts = fetch->facts;

	age_ms += (unsigned)(host_now(lookups->host) - fetch->read_at);
	fetch->walk = NULL;
	fetch->facts = NULL;
	fetch_end(fetch, status, facts, age_ms, reason);
	facts_unref(&facts);
	hand_out_later(lookups);
}

/* True when the facts are not complete yet. */
static bool must_complete(struct fetch *fetch, struct facts *facts)
{
	struct lookups *lookups = fetch->lookups;

	if (fetch->question.kind != MUM_DELIVERY)
		return false;
	fetch->walk = recipients_walk_start(lookups, facts, &lookups->settings.recipients,
					    on_recipients, fetch);
	if (fetch->walk == NULL)
		return false;
	fetch->facts = facts_ref(facts);
	fetch->read_at = host_now(lookups->host);
	return true;
}

static void fetch_done(enum mum_status status, struct facts *facts,
		       const char *reason, void *arg)
{
	struct fetch *fetch = arg;
	struct lookups *lookups = fetch->lookups;

	fetch->request = NULL;
	if (status == MUM_FOUND)
		lookups->stats->answered_ms = host_now(lookups->host);
	if (status == MUM_FOUND && must_complete(fetch, facts)) {
		hand_out_later(lookups);
		return;
	}
	fetch_end(fetch, status, facts, 0, reason);
	hand_out(lookups);
}

static struct fetch *fetch_new(struct lookups *lookups, const struct question *question,
			       const char *name, size_t name_len)
{
	struct fetch *fetch = xcalloc(1, sizeof(*fetch) + name_len);

	fetch->lookups = lookups;
	fetch->question = *question;
	if (question->address != NULL)
		address_ref(question->address);
	fetch->name_len = name_len;
	memcpy(fetch->name, name, name_len);
	return fetch;
}

/* Joins a fetch of the same facts, or starts one. */
static void part_fetch(struct part *part, const struct question *question)
{
	struct lookups *lookups = part->lookup->lookups;
	struct mum_question_stats *stats = &lookups->stats->questions[question->kind];
	const char *key = question->address != NULL ? question->address->key : "";
	char kind[] = { (char)('a' + question->kind), '\0' };
	char *name = xjoin(kind, key, "");
	size_t len = strlen(name);
	unsigned hash = keyed_hash(&lookups->hash, name, len);
	struct fetch *fetch = NULL;

	stats->misses++;
	part->asked_us = host_now_us(lookups->host);
	if (is_cached(question->kind))
		HASH_FIND_BYHASHVALUE(hh, lookups->fetches, name, len, hash, fetch);
	if (fetch != NULL) {
		stats->joined++;
	} else {
		fetch = fetch_new(lookups, question, name, len);
		fetch->joinable = is_cached(question->kind);
		if (fetch->joinable)
			HASH_ADD_KEYPTR_BYHASHVALUE(hh, lookups->fetches, fetch->name,
						    fetch->name_len, hash, fetch);
		fetch->request = lookups->store->ops->submit(lookups->store, question,
							     fetch_done, fetch);
	}
	free(name);
	part->fetch = fetch;
	part->lookup->waiting++;
	DL_APPEND(fetch->waiters, part);
}

/* ---- lookups ---- */

static void lookup_free(struct mum_lookup *lookup)
{
	struct lookups *lookups = lookup->lookups;

	for (int i = 0; i < MUM_QUESTIONS; i++) {
		part_leave(&lookup->parts[i]);
		facts_unref(&lookup->parts[i].facts);
	}
	host_untimer(lookups->host, &lookup->deadline);
	if (lookup->ready) {
		DL_DELETE(lookups->ready, lookup);
		lookups->ready_count--;
	} else {
		DL_DELETE(lookups->waiting, lookup);
	}
	lookups->stats->in_flight--;
	address_unref(&lookup->address);
	free(lookup->reason);
	free(lookup);
}

/* Takes what it needs out of the lookup, frees it, and calls last. */
static void lookup_answer(struct mum_lookup *lookup)
{
	mum_answer_fn *fn = lookup->fn;
	void *arg = lookup->arg;
	struct address *address = lookup->address;
	char *reason = lookup->reason;
	struct facts *facts[MUM_QUESTIONS];
	struct mum_answer answer = { .status = lookup->status,
				     .stale = lookup->stale,
				     .age_ms = lookup->age_ms,
				     .drops_extension =
					     lookup->lookups->settings.drops_extension,
				     .address = address,
				     .reason = reason };

	for (int i = 0; i < MUM_QUESTIONS; i++) {
		facts[i] = lookup->parts[i].facts;
		answer.facts[i] = facts[i];
		lookup->parts[i].facts = NULL;
	}
	if (answer.stale)
		lookup->lookups->stats->stale++;
	lookup->address = NULL;
	lookup->reason = NULL;
	lookup_free(lookup);
	fn(&answer, arg);
	for (int i = 0; i < MUM_QUESTIONS; i++)
		facts_unref(&facts[i]);
	address_unref(&address);
	free(reason);
}

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

static void on_deadline(void *arg)
{
	struct mum_lookup *lookup = arg;
	struct lookups *lookups = lookup->lookups;

	lookup->deadline = NULL;
	lookups->stats->timeouts++;
	for (int i = 0; i < MUM_QUESTIONS; i++) {
		if (lookup->parts[i].fetch == NULL)
			continue;
		part_end(&lookup->parts[i], (enum mum_question)i);
		part_fail(&lookup->parts[i], (enum mum_question)i, MUM_TEMPFAIL,
			  "the database gave no answer in time");
	}
	set_ready(lookup);
	hand_out(lookups);
}

/* From the cache if it is fresh, or stale while the store is known to be down. */
static bool part_from_cache(struct part *part, enum mum_question question)
{
	struct mum_lookup *lookup = part->lookup;
	struct lookups *lookups = lookup->lookups;
	struct facts *facts;
	uint64_t age;

	if (!is_cached(question) || (lookup->questions & MUM_FRESH) != 0)
		return false;
	facts = cache_get(lookups->cache, question, lookup->address->key,
			  host_now(lookups->host), &age);
	if (facts == NULL || age >= lookups->settings.ttl_ms) {
		facts = lookups->store->ops->is_up(lookups->store)
				? NULL : stale_facts(lookup, question, &age);
		lookup->stale = lookup->stale || facts != NULL;
	}
	if (facts == NULL)
		return false;
	lookups->stats->questions[question].hits++;
	part_take(part, facts, (unsigned)age);
	return true;
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
	*after_id_r = 0;
	if ((lookup->questions & MUM_ASK(MUM_USERS)) != 0)
		return read_id(key, key_len, after_id_r);
	lookup->address = address_new(key_kind(lookup->questions), key, key_len,
				      lookup->lookups->settings.recipient_delimiter);
	return lookup->address != NULL;
}

static void ask(struct mum_lookup *lookup, uint64_t after_id)
{
	for (int i = 0; i < MUM_QUESTIONS; i++) {
		struct part *part = &lookup->parts[i];
		struct question question = { (enum mum_question)i, lookup->address,
					     after_id };

		if ((lookup->questions & MUM_ASK(i)) == 0)
			continue;
		part->lookup = lookup;
		if (!part_from_cache(part, (enum mum_question)i))
			part_fetch(part, &question);
	}
}

struct mum_lookup *mum_lookup_start(struct lookups *lookups, unsigned questions,
				    const char *key, size_t key_len,
				    unsigned deadline_ms, mum_answer_fn *fn, void *arg)
{
	struct mum_lookup *lookup = xcalloc(1, sizeof(*lookup));
	uint64_t after_id;

	lookup->lookups = lookups;
	lookup->questions = questions;
	lookup->fn = fn;
	lookup->arg = arg;
	lookups->stats->in_flight++;
	DL_APPEND(lookups->waiting, lookup);
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
	set_ready(lookup);
	hand_out_later(lookups);
	return lookup;
}

void mum_lookup_cancel(struct mum_lookup **_lookup)
{
	struct mum_lookup *lookup = *_lookup;

	*_lookup = NULL;
	if (lookup != NULL)
		lookup_free(lookup);
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
	keyed_hash_init(&lookups->hash);
	return lookups;
}

void lookups_free(struct lookups **_lookups)
{
	struct lookups *lookups = *_lookups;

	*_lookups = NULL;
	if (lookups == NULL)
		return;
	/* Before the lookups that they wait for themselves. */
	for (struct fetch *fetch = lookups->fetches; fetch != NULL; fetch = fetch->hh.next)
		recipients_walk_cancel(&fetch->walk);
	while (lookups->waiting != NULL)
		lookup_free(lookups->waiting);
	while (lookups->ready != NULL)
		lookup_free(lookups->ready);
	host_untimer(lookups->host, &lookups->ready_timer);
	assert(lookups->fetches == NULL);
	cache_free(&lookups->cache);
	free(lookups);
}
