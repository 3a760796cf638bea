/* SPDX-License-Identifier: MIT */
/* What an answer says of itself: how old it is, how it came about, and what was asked. */
#include "tests/unit/unit.h"

#include "tests/unit/lookup-bench.h"

enum { TTL = 10000, STALE = 600000 };

#define BOTH (MUM_ASK(MUM_DELIVERY) | MUM_ASK(MUM_OWNERS))

/* What the last answer said. */
static struct {
	unsigned age_ms;
	bool stale, drops_extension, catch_all_senders;
	char reason[100];
} said;

static void keep(struct got *got)
{
	said.age_ms = got->answer->age_ms;
	said.stale = got->answer->stale;
	said.drops_extension = got->answer->drops_extension;
	said.catch_all_senders = got->answer->catch_all_senders;
	strcpy(said.reason, got->answer->reason != NULL ? got->answer->reason : "");
}

static void ask(struct bench *bench, struct got *got, unsigned questions)
{
	bench_ask(bench, got, questions, "a@d");
	got->inside = keep;
}

/* The cache then holds it. */
static void fill(struct bench *bench, unsigned questions)
{
	struct got got;

	ask(bench, &got, questions);
	while (fake_store_pending(&bench->store) > 0)
		bench_answer(bench, 0, MUM_FOUND);
	WANT_NUMBER("just read", said.age_ms, 0);
	WANT("not stale", !said.stale);
}

/* One question first, the other some time later, and then both. */
static void test_age(void **state)
{
	static const struct {
		const char *name;
		unsigned first, second;		/* questions */
		unsigned between, after;	/* ms */
		bool trouble;			/* at the end, for what it must ask anew */
		unsigned age;
		bool stale;
	} rows[] = {
		{ "the oldest counts", MUM_ASK(MUM_DELIVERY), MUM_ASK(MUM_OWNERS), 400, 300,
		  false, 700, false },
		{ "in any order", MUM_ASK(MUM_OWNERS), MUM_ASK(MUM_DELIVERY), 400, 300, false,
		  700, false },
		{ "in trouble: the first is stale", MUM_ASK(MUM_DELIVERY),
		  MUM_ASK(MUM_OWNERS), TTL, 5, true, TTL + 5, true },
		{ "the second is", MUM_ASK(MUM_OWNERS), MUM_ASK(MUM_DELIVERY), TTL, 5, true,
		  TTL + 5, true },
		{ "both are", MUM_ASK(MUM_DELIVERY), MUM_ASK(MUM_OWNERS), 5, TTL, true,
		  TTL + 5, true },
		{ "to the millisecond", MUM_ASK(MUM_DELIVERY), MUM_ASK(MUM_OWNERS), 1, TTL - 1,
		  true, TTL, true },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		/* The store knows from the start that it is down, or only when it asks. */
		for (int down = 0; down < 2; down++) {
			struct bench bench;
			struct got got;

			bench_init(&bench, TTL, STALE);
			fill(&bench, row->first);
			fake_host_advance(&bench.host, row->between);
			fill(&bench, row->second);
			fake_host_advance(&bench.host, row->after);
			bench.store.store.up = !down;
			ask(&bench, &got, BOTH);
			while (row->trouble && fake_store_pending(&bench.store) > 0)
				bench_answer(&bench, 0, MUM_TEMPFAIL);
			fake_host_settle(&bench.host, 5);
			WANT_NUMBER(row->name, got.calls, 1);
			WANT_NUMBER(row->name, got.status, MUM_FOUND);
			WANT_NUMBER(row->name, said.age_ms, row->age);
			WANT(row->name, said.stale == row->stale);
			WANT_NUMBER(row->name, bench.stats.stale, row->stale);
			bench_free(&bench);
		}
	}
}

static void test_a_part_that_is_stale_at_once_and_one_just_read(void **state)
{
	struct bench bench;
	struct got got;

	(void)state;
	bench_init(&bench, TTL, STALE);
	fill(&bench, MUM_ASK(MUM_DELIVERY));
	fake_host_advance(&bench.host, TTL + 1);
	bench.store.store.up = false;
	ask(&bench, &got, BOTH);
	WANT_NUMBER("only the other is asked", fake_store_pending(&bench.store), 1);
	bench_answer(&bench, 0, MUM_FOUND);
	WANT("stale all the same", got.calls == 1 && said.stale);
	WANT_NUMBER("as old as the stale one", said.age_ms, TTL + 1);
	bench_free(&bench);
}

static void test_a_deadline_of_two_questions(void **state)
{
	struct bench bench;
	struct got got;

	(void)state;
	bench_init(&bench, TTL, 0);
	ask(&bench, &got, BOTH);
	fake_host_advance(&bench.host, BENCH_DEADLINE);
	WANT_NUMBER("one answer", got.calls, 1);
	WANT_NUMBER("no answer in time", got.status, MUM_TEMPFAIL);
	WANT_TEXT("why", said.reason, "the database gave no answer in time");
	WANT_NUMBER("counted once", bench.stats.timeouts, 1);
	WANT_NUMBER("measured once each", bench.stats.questions[MUM_OWNERS].duration.sum_us,
		    BENCH_DEADLINE * 1000);
	WANT_NUMBER("nobody waits any more", bench.stats.in_flight, 0);
	bench_free(&bench);
}

static void test_the_first_trouble_is_the_reason(void **state)
{
	struct bench bench;
	struct got got;

	(void)state;
	bench_init(&bench, TTL, 0);
	ask(&bench, &got, BOTH);
	bench_answer(&bench, 0, MUM_MISCONFIGURED);
	WANT_NUMBER("its status", got.status, MUM_MISCONFIGURED);
	WANT_TEXT("its reason", said.reason, "fake trouble");
	bench_free(&bench);
}

static void test_settings(void **state)
{
	static const struct {
		const char *name;
		bool drops_extension, catch_all_senders;
		unsigned questions, asked;
	} rows[] = {
		{ "neither", false, false, MUM_ASK(MUM_OWNERS), 1 },
		{ "no extension", true, false, MUM_ASK(MUM_OWNERS), 1 },
		{ "owners of a catch-all: is the name known?", false, true,
		  MUM_ASK(MUM_OWNERS), 2 },
		{ "else it does not matter", false, true, MUM_ASK(MUM_DELIVERY), 1 },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		const struct lookups_settings settings = {
			.recipient_delimiter = "+",
			.ttl_ms = TTL,
			.entries = BENCH_ENTRIES,
			.recipients = { .readings = { true, true, "origin.example", "" } },
			.drops_extension = row->drops_extension,
			.catch_all_senders = row->catch_all_senders,
		};
		struct bench bench;
		struct got got;

		bench_init_settings(&bench, &settings);
		ask(&bench, &got, row->questions);
		WANT_NUMBER(row->name, fake_store_pending(&bench.store), row->asked);
		while (fake_store_pending(&bench.store) > 0)
			bench_answer(&bench, 0, MUM_FOUND);
		WANT(row->name, said.drops_extension == row->drops_extension);
		WANT(row->name, said.catch_all_senders == row->catch_all_senders);
		WANT(row->name, got.facts[MUM_NAME] == (row->asked == 2));
		bench_free(&bench);
	}
}

/* The key of a page of users is a number. */
static void test_numbers(void **state)
{
	static const struct {
		const char *key;
		bool is_number;
		uint64_t want;
	} rows[] = {
		{ "0", true, 0 },
		{ "9", true, 9 },
		{ "0123456789", true, 123456789 },
		{ "9999999999999999999", true, UINT64_C(9999999999999999999) },
		{ "99999999999999999999", false, 0 },
		{ "1/", false, 0 },
		{ "1:", false, 0 },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		const struct question *question;
		struct bench bench;
		struct got got;

		bench_init(&bench, TTL, 0);
		bench_ask(&bench, &got, MUM_ASK(MUM_USERS), row->key);
		question = fake_store_question(&bench.store, 0);
		WANT(row->key, (question != NULL) == row->is_number);
		WANT(row->key, question == NULL || question->after_id == row->want);
		mum_lookup_cancel(&got.lookup);
		bench_free(&bench);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_age),
		UNIT_TEST(test_a_part_that_is_stale_at_once_and_one_just_read),
		UNIT_TEST(test_a_deadline_of_two_questions),
		UNIT_TEST(test_the_first_trouble_is_the_reason),
		UNIT_TEST(test_settings),
		UNIT_TEST(test_numbers),
	};

	return cmocka_run_group_tests_name("answers of lookups", tests, NULL, NULL);
}
