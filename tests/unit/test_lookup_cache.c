/* SPDX-License-Identifier: MIT */
/* What lookups keep: fresh facts, stale facts for an outage, questions under way. */
#include "tests/unit/unit.h"

#include "tests/unit/lookup-bench.h"

enum { TTL = 10000, STALE = 600000 };

/* Asks and has the store answer; the cache then holds it. */
static void fill(struct bench *bench, unsigned questions, const char *key)
{
	struct got got;

	bench_ask(bench, &got, questions, key);
	while (fake_store_pending(&bench->store) > 0)
		bench_answer(bench, 0, MUM_FOUND);
	WANT_NUMBER("filled", got.calls, 1);
}

/* ---- fresh ---- */

static void test_fresh_for_ttl(void **state)
{
	static const struct {
		const char *name;
		unsigned ttl, age;
		bool cached;
	} rows[] = {
		{ "at once", TTL, 0, true },
		{ "a millisecond before", TTL, TTL - 1, true },
		{ "exactly", TTL, TTL, false },
		{ "a millisecond after", TTL, TTL + 1, false },
		{ "a ttl of nothing: never", 0, 0, false },
		{ "a ttl of a millisecond, at once", 1, 0, true },
		{ "a ttl of a millisecond, later", 1, 2, false },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct bench bench;
		struct got got;

		bench_init(&bench, row->ttl, 0);
		fill(&bench, MUM_ASK(MUM_DELIVERY), "a@d");
		fake_host_advance(&bench.host, row->age);
		bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "A@D");
		WANT_NUMBER(row->name, fake_store_pending(&bench.store), row->cached ? 0 : 1);
		WANT_NUMBER("never from inside, not even from the cache", got.calls, 0);
		fake_host_settle(&bench.host, 5);
		WANT_NUMBER(row->name, got.calls, row->cached ? 1 : 0);
		WANT(row->name, !got.stale);
		WANT_NUMBER(row->name, bench.stats.questions[MUM_DELIVERY].hits,
			    row->cached ? 1 : 0);
		WANT_NUMBER(row->name, bench.stats.questions[MUM_DELIVERY].misses,
			    row->cached ? 1 : 2);
		bench_free(&bench);
	}
}

/* MUM_AT_ONCE: what needs no fetch is answered inside the call. */
static void test_at_once(void **state)
{
	static const unsigned both = MUM_ASK(MUM_DELIVERY) | MUM_ASK(MUM_OWNERS);
	static const struct {
		const char *name;
		unsigned questions;
		const char *key;
		unsigned age;
		bool inside;
	} rows[] = {
		{ "fresh", MUM_ASK(MUM_DELIVERY), "a@d", 0, true },
		{ "both fresh", MUM_ASK(MUM_DELIVERY) | MUM_ASK(MUM_NAME), "a@d", 0, true },
		{ "one fresh, one unknown", both, "a@d", 0, false },
		{ "too old", MUM_ASK(MUM_DELIVERY), "a@d", TTL + 1, false },
		{ "to be asked afresh", MUM_ASK(MUM_DELIVERY) | MUM_FRESH, "a@d", 0, false },
		{ "unknown", MUM_ASK(MUM_DELIVERY), "b@d", 0, false },
		{ "no such name can be", MUM_ASK(MUM_DELIVERY), "a", 0, true },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct bench bench;
		struct got got;

		bench_init(&bench, TTL, 0);
		fill(&bench, MUM_ASK(MUM_DELIVERY) | MUM_ASK(MUM_NAME), "a@d");
		fake_host_advance(&bench.host, row->age);
		bench_ask(&bench, &got, row->questions | MUM_AT_ONCE, row->key);
		WANT_NUMBER(row->name, got.calls, row->inside ? 1 : 0);
		WANT(row->name, (got.lookup == NULL) == row->inside);
		WANT_NUMBER(row->name, bench.stats.in_flight, row->inside ? 0 : 1);
		while (fake_store_pending(&bench.store) > 0)
			bench_answer(&bench, 0, MUM_FOUND);
		fake_host_settle(&bench.host, 5);
		WANT_NUMBER(row->name, got.calls, 1);
		bench_free(&bench);
	}
}

static void test_what_is_cached(void **state)
{
	static const struct {
		const char *name;
		enum question_kind kind;
		const char *key;
		bool cached;
	} rows[] = {
		{ "domain", MUM_DOMAIN, "d", true },
		{ "delivery", MUM_DELIVERY, "a@d", true },
		{ "owners", MUM_OWNERS, "a@d", true },
		{ "tls", MUM_TLS, "d", true },
		{ "user", MUM_USER, "a@d", true },
		{ "a credential never", MUM_CREDENTIAL, "a@d", false },
		{ "a page of users never", MUM_USERS, "0", false },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct bench bench;
		struct got got;

		bench_init(&bench, TTL, STALE);
		fill(&bench, MUM_ASK(row->kind), row->key);
		WANT_NUMBER(row->name, bench.stats.cached,
			    row->cached ? 1 : 0);
		bench_ask(&bench, &got, MUM_ASK(row->kind), row->key);
		WANT_NUMBER(row->name, fake_store_pending(&bench.store), row->cached ? 0 : 1);
		bench_free(&bench);
	}
}

static void test_trouble_is_not_cached(void **state)
{
	static const enum mum_status all[] = { MUM_TEMPFAIL, MUM_MISCONFIGURED };

	(void)state;
	FOR_EACH_ROW(status, all) {
		struct bench bench;
		struct got got;

		bench_init(&bench, TTL, STALE);
		bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "a@d");
		bench_answer(&bench, 0, *status);
		WANT_NUMBER("nothing kept", bench.stats.cached, 0);
		bench_free(&bench);
	}
}

static void test_one_of_two_questions_is_cached(void **state)
{
	struct bench bench;
	struct got got;

	(void)state;
	bench_init(&bench, TTL, STALE);
	fill(&bench, MUM_ASK(MUM_DELIVERY), "a@d");
	bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY) | MUM_ASK(MUM_OWNERS), "a@d");
	WANT_NUMBER("only the other is asked", fake_store_pending(&bench.store), 1);
	WANT("which is", fake_store_question(&bench.store, 0)->kind == MUM_OWNERS);
	bench_answer(&bench, 0, MUM_FOUND);
	WANT("both facts", got.calls == 1 && got.facts[MUM_DELIVERY] &&
	     got.facts[MUM_OWNERS]);
	bench_free(&bench);
}

/* ---- stale ---- */

static const struct {
	const char *name;
	unsigned age, stale_ms;
	bool up;
	enum mum_status store;	/* what it answers; MUM_FOUND: it never does */
	enum mum_status want;
	bool stale;
} trouble[] = {
	{ "the store says trouble", TTL + 1, STALE, true, MUM_TEMPFAIL, MUM_FOUND, true },
	{ "the store says misconfigured", TTL + 1, STALE, true, MUM_MISCONFIGURED, MUM_FOUND,
	  true },
	{ "no answer by the deadline", TTL + 1, STALE, true, MUM_FOUND, MUM_FOUND, true },
	{ "as old as allowed", STALE, STALE, true, MUM_TEMPFAIL, MUM_FOUND, true },
	{ "a millisecond older", STALE + 1, STALE, true, MUM_TEMPFAIL, MUM_TEMPFAIL, false },
	{ "stale answers are off", TTL + 1, 0, true, MUM_TEMPFAIL, MUM_TEMPFAIL, false },
	{ "stale answers are off, misconfigured", TTL + 1, 0, true, MUM_MISCONFIGURED,
	  MUM_MISCONFIGURED, false },
	{ "stale answers are off, deadline", TTL + 1, 0, true, MUM_FOUND, MUM_TEMPFAIL,
	  false },
};

static void test_stale_facts_in_trouble(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, trouble) {
		struct bench bench;
		struct got got;

		bench_init(&bench, TTL, row->stale_ms);
		fill(&bench, MUM_ASK(MUM_DELIVERY), "a@d");
		fake_host_advance(&bench.host, row->age);
		bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "a@d");
		WANT_NUMBER(row->name, fake_store_pending(&bench.store), 1);
		if (row->store != MUM_FOUND)
			bench_answer(&bench, 0, row->store);
		else
			fake_host_advance(&bench.host, BENCH_DEADLINE);
		WANT_NUMBER(row->name, got.calls, 1);
		WANT_NUMBER(row->name, got.status, row->want);
		WANT(row->name, got.stale == row->stale);
		WANT(row->name, got.had_reason == !row->stale);
		WANT(row->name, got.facts[MUM_DELIVERY] == row->stale);
		WANT_NUMBER(row->name, bench.stats.stale,
			    row->stale ? 1 : 0);
		bench_free(&bench);
	}
}

static void test_stale_at_once_while_the_store_is_down(void **state)
{
	static const struct {
		const char *name;
		unsigned age;
		bool at_once;
	} rows[] = {
		{ "just over the ttl", TTL + 1, true },
		{ "as old as allowed", STALE, true },
		{ "older", STALE + 1, false },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct bench bench;
		struct got got;

		bench_init(&bench, TTL, STALE);
		fill(&bench, MUM_ASK(MUM_DELIVERY), "a@d");
		fake_host_advance(&bench.host, row->age);
		bench.store.store.up = false;
		bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "a@d");
		fake_host_settle(&bench.host, 5);
		WANT_NUMBER(row->name, got.calls, row->at_once ? 1 : 0);
		WANT(row->name, got.stale == row->at_once);
		bench_free(&bench);
	}
}

static void test_fresh_facts_while_the_store_is_down_are_not_stale(void **state)
{
	struct bench bench;
	struct got got;

	(void)state;
	bench_init(&bench, TTL, STALE);
	fill(&bench, MUM_ASK(MUM_DELIVERY), "a@d");
	bench.store.store.up = false;
	bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "a@d");
	fake_host_settle(&bench.host, 5);
	WANT("fresh", got.calls == 1 && got.status == MUM_FOUND && !got.stale);
	bench_free(&bench);
}

static void test_down_and_nothing_kept(void **state)
{
	struct bench bench;
	struct got got;

	(void)state;
	bench_init(&bench, TTL, STALE);
	bench.store.store.up = false;
	bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "a@d");
	WANT_NUMBER("it may come back in time", fake_store_pending(&bench.store), 1);
	fake_host_advance(&bench.host, BENCH_DEADLINE);
	WANT("trouble, never an absence", got.calls == 1 && got.status == MUM_TEMPFAIL);
	bench_free(&bench);
}

static void test_a_credential_is_never_stale(void **state)
{
	struct bench bench;
	struct got got;

	(void)state;
	bench_init(&bench, TTL, STALE);
	fill(&bench, MUM_ASK(MUM_CREDENTIAL), "a@d");
	bench_ask(&bench, &got, MUM_ASK(MUM_CREDENTIAL), "a@d");
	bench_answer(&bench, 0, MUM_TEMPFAIL);
	WANT("trouble", got.calls == 1 && got.status == MUM_TEMPFAIL && !got.stale);
	bench_free(&bench);
}

static void test_stale_needs_every_question(void **state)
{
	struct bench bench;
	struct got got;

	(void)state;
	bench_init(&bench, TTL, STALE);
	fill(&bench, MUM_ASK(MUM_DELIVERY), "a@d");
	fake_host_advance(&bench.host, TTL + 1);
	bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY) | MUM_ASK(MUM_OWNERS), "a@d");
	fake_host_advance(&bench.host, BENCH_DEADLINE);
	WANT("half an answer is none", got.calls == 1 && got.status == MUM_TEMPFAIL);
	bench_free(&bench);
}

static void test_fresh_facts_end_stale_ones(void **state)
{
	struct bench bench;
	struct got got;

	(void)state;
	bench_init(&bench, TTL, STALE);
	fill(&bench, MUM_ASK(MUM_DELIVERY), "a@d");
	fake_host_advance(&bench.host, TTL + 1);
	fill(&bench, MUM_ASK(MUM_DELIVERY), "a@d");
	fake_host_advance(&bench.host, TTL - 1);
	bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "a@d");
	fake_host_settle(&bench.host, 5);
	WANT("fresh again", got.calls == 1 && !got.stale);
	bench_free(&bench);
}

/* ---- joining ---- */

static void test_equal_questions_join(void **state)
{
	struct bench bench;
	struct got got[50];
	unsigned calls = 0;

	(void)state;
	bench_init(&bench, 0, 0);
	for (size_t i = 0; i < ARRAY_LEN(got); i++)
		bench_ask(&bench, &got[i], MUM_ASK(MUM_DELIVERY), i % 2 ? "a@d" : "A@D");
	WANT_NUMBER("one question at the store", bench.store.submitted, 1);
	WANT_NUMBER("the others joined", bench.stats.questions[MUM_DELIVERY].joined, 49);
	bench_answer(&bench, 0, MUM_FOUND);
	for (size_t i = 0; i < ARRAY_LEN(got); i++)
		calls += got[i].calls;
	WANT_NUMBER("all are answered", calls, 50);
	bench_free(&bench);
}

static void test_who_does_not_join(void **state)
{
	static const struct {
		const char *name;
		unsigned first, second;
		const char *first_key, *second_key;
	} rows[] = {
		{ "another question", MUM_ASK(MUM_DELIVERY), MUM_ASK(MUM_OWNERS), "a@d",
		  "a@d" },
		{ "another key", MUM_ASK(MUM_DELIVERY), MUM_ASK(MUM_DELIVERY), "a@d", "b@d" },
		{ "credentials", MUM_ASK(MUM_CREDENTIAL), MUM_ASK(MUM_CREDENTIAL), "a@d",
		  "a@d" },
		{ "pages of users", MUM_ASK(MUM_USERS), MUM_ASK(MUM_USERS), "1", "2" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct bench bench;
		struct got first, second;

		bench_init(&bench, TTL, 0);
		bench_ask(&bench, &first, row->first, row->first_key);
		bench_ask(&bench, &second, row->second, row->second_key);
		WANT_NUMBER(row->name, bench.store.submitted, 2);
		bench_free(&bench);
	}
}

/* Joined lookups share their facts; each keeps its own extension. */
static void test_joined_answers_keep_their_own_address(void **state)
{
	struct bench bench;
	struct got first, second;
	const struct question *question;

	(void)state;
	bench_init(&bench, TTL, 0);
	bench_ask(&bench, &first, MUM_ASK(MUM_DELIVERY), "joe+Tag@d");
	bench_ask(&bench, &second, MUM_ASK(MUM_DELIVERY), "joe+tag@d");
	WANT_NUMBER("joined", bench.store.submitted, 1);
	question = fake_store_question(&bench.store, 0);
	WANT_TEXT("asked by the first", question->address->forms[1].extension, "+Tag");
	bench_answer(&bench, 0, MUM_FOUND);
	WANT("both", first.calls == 1 && second.calls == 1);
	bench_free(&bench);
}

static void test_the_cache_is_bounded(void **state)
{
	struct bench bench;

	(void)state;
	bench_init_entries(&bench, TTL, STALE, 3);
	fill(&bench, MUM_ASK(MUM_DELIVERY), "a@d");
	fill(&bench, MUM_ASK(MUM_DELIVERY), "b@d");
	fill(&bench, MUM_ASK(MUM_DELIVERY), "c@d");
	fill(&bench, MUM_ASK(MUM_DELIVERY), "d@d");
	WANT_NUMBER("no more than allowed", bench.stats.cached, 3);
	bench_free(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_fresh_for_ttl),
		UNIT_TEST(test_at_once),
		UNIT_TEST(test_what_is_cached),
		UNIT_TEST(test_trouble_is_not_cached),
		UNIT_TEST(test_one_of_two_questions_is_cached),
		UNIT_TEST(test_stale_facts_in_trouble),
		UNIT_TEST(test_stale_at_once_while_the_store_is_down),
		UNIT_TEST(test_fresh_facts_while_the_store_is_down_are_not_stale),
		UNIT_TEST(test_down_and_nothing_kept),
		UNIT_TEST(test_a_credential_is_never_stale),
		UNIT_TEST(test_stale_needs_every_question),
		UNIT_TEST(test_fresh_facts_end_stale_ones),
		UNIT_TEST(test_equal_questions_join),
		UNIT_TEST(test_who_does_not_join),
		UNIT_TEST(test_joined_answers_keep_their_own_address),
		UNIT_TEST(test_the_cache_is_bounded),
	};

	return cmocka_run_group_tests_name("lookup and its cache", tests, NULL, NULL);
}
