/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "tests/unit/lookup-bench.h"

enum { TTL = 10000, STALE = 60000 };

static uint64_t measured(const struct bench *bench, enum question_kind kind)
{
	const struct mum_histogram *duration = &bench->stats.questions[kind].duration;
	uint64_t count = 0;

	for (size_t i = 0; i <= MUM_BUCKETS; i++)
		count += duration->counts[i];
	return count;
}

static uint64_t sum_ms(const struct bench *bench, enum question_kind kind)
{
	return bench->stats.questions[kind].duration.sum_us / 1000;
}

static void fill(struct bench *bench, const char *key)
{
	struct got got;

	bench_ask(bench, &got, MUM_ASK(MUM_DELIVERY), key);
	bench_answer(bench, 0, MUM_FOUND);
	fake_host_settle(&bench->host, 5);
}

static void test_what_is_measured(void **state)
{
	static const struct {
		const char *name;
		unsigned after;		/* ms until the store answers */
		enum mum_status status;
		uint64_t ms;		/* measured */
	} rows[] = {
		{ "an answer at once", 0, MUM_FOUND, 0 },
		{ "an answer", 30, MUM_FOUND, 30 },
		{ "trouble", 40, MUM_TEMPFAIL, 40 },
		{ "no answer, to the deadline", BENCH_DEADLINE, MUM_FOUND, BENCH_DEADLINE },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct bench bench;
		struct got got;

		bench_init(&bench, TTL, 0);
		bench_ask(&bench, &got, MUM_ASK(MUM_OWNERS), "a@d");
		fake_host_advance(&bench.host, row->after);
		if (row->after < BENCH_DEADLINE)
			bench_answer(&bench, 0, row->status);
		fake_host_settle(&bench.host, 5);
		WANT_NUMBER(row->name, got.calls, 1);
		WANT_NUMBER(row->name, measured(&bench, MUM_OWNERS), 1);
		WANT_NUMBER(row->name, sum_ms(&bench, MUM_OWNERS), row->ms);
		WANT_NUMBER("of no other question", measured(&bench, MUM_DELIVERY), 0);
		bench_free(&bench);
	}
}

/* Whatever the reason that the cache did not answer. */
static void test_each_question_that_is_put_is_a_miss(void **state)
{
	static const struct {
		const char *name;
		enum question_kind kind;
		unsigned flags;
		const char *key;
	} rows[] = {
		{ "one that may be cached", MUM_DOMAIN, 0, "d" },
		{ "one that must be fresh", MUM_DOMAIN, MUM_FRESH, "d" },
		{ "a credential", MUM_CREDENTIAL, 0, "a@d" },
		{ "a page of users", MUM_USERS, 0, "0" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct bench bench;
		struct got got;

		bench_init(&bench, TTL, 0);
		bench_ask(&bench, &got, MUM_ASK(row->kind) | row->flags, row->key);
		bench_answer(&bench, 0, MUM_FOUND);
		fake_host_settle(&bench.host, 5);
		WANT_NUMBER(row->name, bench.stats.questions[row->kind].misses, 1);
		WANT_NUMBER(row->name, measured(&bench, row->kind), 1);
		bench_free(&bench);
	}
}

static void test_what_is_not_measured(void **state)
{
	struct bench bench;
	struct got got;

	(void)state;
	bench_init(&bench, TTL, STALE);
	fill(&bench, "a@d");
	bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "a@d");
	fake_host_settle(&bench.host, 5);
	WANT_NUMBER("a hit of the cache", measured(&bench, MUM_DELIVERY), 1);
	fake_host_advance(&bench.host, TTL);
	bench.store.store.up = false;
	bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "a@d");
	fake_host_settle(&bench.host, 5);
	WANT_NUMBER("a stale answer at once", measured(&bench, MUM_DELIVERY), 1);
	bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "b@d");
	mum_lookup_cancel(&got.lookup);
	WANT_NUMBER("what nobody wants any more", measured(&bench, MUM_DELIVERY), 1);
	bench_free(&bench);
}

/* Its own waiting time counts, not that of the question that it joined. */
static void test_joined_ones_are_measured_from_their_own_start(void **state)
{
	struct bench bench;
	struct got first, second;

	(void)state;
	bench_init(&bench, TTL, 0);
	bench_ask(&bench, &first, MUM_ASK(MUM_DELIVERY), "a@d");
	fake_host_advance(&bench.host, 100);
	bench_ask(&bench, &second, MUM_ASK(MUM_DELIVERY), "a@d");
	fake_host_advance(&bench.host, 10);
	bench_answer(&bench, 0, MUM_FOUND);
	WANT_NUMBER("both", measured(&bench, MUM_DELIVERY), 2);
	WANT_NUMBER("110 and 10", sum_ms(&bench, MUM_DELIVERY), 120);
	bench_free(&bench);
}

static void test_when_the_database_last_answered(void **state)
{
	struct bench bench;
	struct got got;
	uint64_t at;

	(void)state;
	bench_init(&bench, TTL, STALE);
	WANT_NUMBER("never", bench.stats.answered_ms, 0);
	fill(&bench, "a@d");
	at = bench.host.now_ms;
	WANT_NUMBER("now", bench.stats.answered_ms, at);
	fake_host_advance(&bench.host, 5);
	fill(&bench, "b@d");
	WANT_NUMBER("and again", bench.stats.answered_ms, at + 5);
	fake_host_advance(&bench.host, TTL);
	bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "b@d");
	bench_answer(&bench, 0, MUM_TEMPFAIL);
	WANT("trouble is no answer, though a stale one was given",
	     got.stale && bench.stats.answered_ms == at + 5);
	bench_free(&bench);
}

/* MUM_FRESH: the caller wants to know whether the database answers. */
static void test_fresh(void **state)
{
	static const struct {
		const char *name;
		enum mum_status store;
		bool up;
	} rows[] = {
		{ "an answer", MUM_FOUND, true },
		{ "trouble, and nothing stale", MUM_TEMPFAIL, true },
		{ "down, and nothing stale", MUM_TEMPFAIL, false },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct bench bench;
		struct got got;

		bench_init(&bench, TTL, STALE);
		fill(&bench, "a@d");
		bench.store.store.up = row->up;
		bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY) | MUM_FRESH, "a@d");
		WANT_NUMBER("the store is asked", fake_store_pending(&bench.store), 1);
		bench_answer(&bench, 0, row->store);
		WANT_NUMBER(row->name, got.calls, 1);
		WANT_NUMBER(row->name, got.status, row->store);
		WANT(row->name, !got.stale);
		WANT_NUMBER("no hit", bench.stats.questions[MUM_DELIVERY].hits, 0);
		WANT_NUMBER("a miss, as the first",
			    bench.stats.questions[MUM_DELIVERY].misses, 2);
		bench_free(&bench);
	}
}

static void test_fresh_facts_are_kept(void **state)
{
	struct bench bench;
	struct got got;

	(void)state;
	bench_init(&bench, TTL, 0);
	bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY) | MUM_FRESH, "a@d");
	bench_answer(&bench, 0, MUM_FOUND);
	bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "a@d");
	fake_host_settle(&bench.host, 5);
	WANT_NUMBER("from the cache", got.calls, 1);
	bench_free(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_what_is_measured),
		UNIT_TEST(test_each_question_that_is_put_is_a_miss),
		UNIT_TEST(test_what_is_not_measured),
		UNIT_TEST(test_joined_ones_are_measured_from_their_own_start),
		UNIT_TEST(test_when_the_database_last_answered),
		UNIT_TEST(test_fresh),
		UNIT_TEST(test_fresh_facts_are_kept),
	};

	return cmocka_run_group_tests_name("lookup and what it counts", tests, NULL, NULL);
}
