/* SPDX-License-Identifier: MIT */
/* The contract of lookup.h: once, later, never after cancel. Cache: test_lookup_cache.c. */
#include "tests/unit/unit.h"

#include "tests/unit/lookup-bench.h"

/* ---- once and later ---- */

static void test_answers_once_and_later(void **state)
{
	static const struct {
		const char *name;
		enum mum_status store, want;
	} rows[] = {
		{ "found", MUM_FOUND, MUM_FOUND },
		{ "trouble", MUM_TEMPFAIL, MUM_TEMPFAIL },
		{ "to be fixed", MUM_MISCONFIGURED, MUM_MISCONFIGURED },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct bench bench;
		struct got got;

		bench_init(&bench, 10000, 0);
		bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "a@d");
		WANT_NUMBER(row->name, got.calls, 0);
		WANT_NUMBER(row->name, bench.stats.in_flight, 1);
		bench_answer(&bench, 0, row->store);
		WANT_NUMBER(row->name, got.calls, 1);
		WANT_NUMBER(row->name, got.status, row->want);
		WANT(row->name, got.had_reason == (row->want != MUM_FOUND));
		WANT(row->name, got.facts[MUM_DELIVERY] == (row->want == MUM_FOUND));
		fake_host_advance(&bench.host, 100000);
		WANT_NUMBER(row->name, got.calls, 1);
		WANT_NUMBER(row->name, bench.stats.in_flight, 0);
		WANT_NUMBER("no timer is left", fake_host_timers(&bench.host), 0);
		bench_free(&bench);
	}
}

static void test_a_store_that_answers_from_the_next_turn(void **state)
{
	struct bench bench;
	struct got got;

	(void)state;
	bench_init(&bench, 10000, 0);
	fake_store_respond(&bench.store, bench_respond, NULL);
	bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY) | MUM_ASK(MUM_OWNERS), "a@d");
	WANT_NUMBER("not from inside", got.calls, 0);
	fake_host_settle(&bench.host, 5);
	WANT_NUMBER("then once", got.calls, 1);
	WANT("both facts", got.facts[MUM_DELIVERY] && got.facts[MUM_OWNERS]);
	bench_free(&bench);
}

/* Each kind of question reads its key in its own way. */
static void test_keys(void **state)
{
	static const struct {
		const char *name;
		unsigned questions;
		const char *key;
		size_t forms;
	} rows[] = {
		{ "delivery", MUM_ASK(MUM_DELIVERY), "a+x@d", 2 },
		{ "owners", MUM_ASK(MUM_OWNERS), "a+x@d", 2 },
		{ "credential: no extension", MUM_ASK(MUM_CREDENTIAL), "a+x@d", 1 },
		{ "user: no extension", MUM_ASK(MUM_USER), "a+x@d", 1 },
		{ "domain", MUM_ASK(MUM_DOMAIN), "d", 1 },
		{ "tls", MUM_ASK(MUM_TLS), "[d]:25", 1 },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		const struct question *question;
		struct bench bench;
		struct got got;

		bench_init(&bench, 10000, 0);
		bench_ask(&bench, &got, row->questions, row->key);
		question = fake_store_question(&bench.store, 0);
		WANT(row->name, question != NULL);
		if (question != NULL)
			WANT_NUMBER(row->name, question->address->forms_count, row->forms);
		fake_host_settle(&bench.host, 5);
		WANT_NUMBER(row->name, got.calls, 0);
		bench_free(&bench);
	}
}

static void test_keys_that_name_nothing(void **state)
{
	static const struct {
		const char *name;
		unsigned questions;
		const char *key;
	} rows[] = {
		{ "no delivery without a domain: else an open relay", MUM_ASK(MUM_DELIVERY),
		  "example.com" },
		{ "no owners without a domain", MUM_ASK(MUM_OWNERS), "a" },
		{ "no domain with an at sign", MUM_ASK(MUM_DOMAIN), "a@d" },
		{ "control characters", MUM_ASK(MUM_DELIVERY), "a\n@d" },
		{ "empty", MUM_ASK(MUM_DELIVERY), "" },
		{ "users: not a number", MUM_ASK(MUM_USERS), "x" },
		{ "users: a tail", MUM_ASK(MUM_USERS), "5x" },
		{ "users: too large", MUM_ASK(MUM_USERS), "18446744073709551616" },
		{ "users: empty", MUM_ASK(MUM_USERS), "" },
		{ "users: negative", MUM_ASK(MUM_USERS), "-1" },
		{ "users: a blank", MUM_ASK(MUM_USERS), " 5" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct bench bench;
		struct got got;

		bench_init(&bench, 10000, 0);
		bench_ask(&bench, &got, row->questions, row->key);
		WANT(row->name, fake_store_question(&bench.store, 0) == NULL);
		WANT_NUMBER(row->name, got.calls, 0);
		fake_host_settle(&bench.host, 5);
		WANT_NUMBER(row->name, got.calls, 1);
		WANT_NUMBER(row->name, got.status, MUM_NOT_FOUND);
		WANT(row->name, !got.had_address);
		bench_free(&bench);
	}
}

static void test_a_page_of_users(void **state)
{
	const struct question *question;
	struct bench bench;
	struct got got;

	(void)state;
	bench_init(&bench, 10000, 0);
	/* A view into more bytes: the key is no string, and ends after two. */
	memset(&got, 0, sizeof(got));
	got.lookup = mum_lookup_start(bench.lookups, MUM_ASK(MUM_USERS), "175", 2,
				      BENCH_DEADLINE, bench_on_answer, &got);
	question = fake_store_question(&bench.store, 0);
	WANT("the key ends where it ends", question != NULL && question->after_id == 17);
	mum_lookup_cancel(&got.lookup);
	fake_host_settle(&bench.host, 5);
	bench_ask(&bench, &got, MUM_ASK(MUM_USERS), "17");
	WANT_NUMBER("after that id", fake_store_question(&bench.store, 0)->after_id, 17);
	WANT("no address", fake_store_question(&bench.store, 0)->address == NULL);
	bench_answer(&bench, 0, MUM_FOUND);
	WANT("the page", got.status == MUM_FOUND && got.facts[MUM_USERS]);
	bench_ask(&bench, &got, MUM_ASK(MUM_USERS), "17");
	WANT_NUMBER("is never cached", fake_store_pending(&bench.store), 1);
	bench_free(&bench);
}

/* ---- cancel ---- */

static void test_cancel(void **state)
{
	struct mum_lookup *none = NULL;
	struct bench bench;
	struct got got;

	(void)state;
	bench_init(&bench, 10000, 0);
	bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY) | MUM_ASK(MUM_OWNERS), "a@d");
	mum_lookup_cancel(&got.lookup);
	WANT("set to NULL", got.lookup == NULL);
	WANT_NUMBER("both questions are withdrawn", bench.store.withdrawn, 2);
	fake_host_advance(&bench.host, 100000);
	WANT_NUMBER("never answered", got.calls, 0);
	WANT_NUMBER("no timer is left", fake_host_timers(&bench.host), 0);
	mum_lookup_cancel(&none);
	bench_free(&bench);
}

static void test_cancel_of_what_is_ready(void **state)
{
	struct bench bench;
	struct got got;

	(void)state;
	bench_init(&bench, 10000, 0);
	bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "impossible");
	mum_lookup_cancel(&got.lookup);
	fake_host_settle(&bench.host, 5);
	WANT_NUMBER("never answered", got.calls, 0);
	bench_free(&bench);
}

static void test_cancel_of_one_of_two_that_joined(void **state)
{
	struct bench bench;
	struct got first, second;

	(void)state;
	bench_init(&bench, 10000, 0);
	bench_ask(&bench, &first, MUM_ASK(MUM_DELIVERY), "a@d");
	bench_ask(&bench, &second, MUM_ASK(MUM_DELIVERY), "A@D");
	WANT_NUMBER("one question for both", bench.store.submitted, 1);
	mum_lookup_cancel(&first.lookup);
	WANT_NUMBER("somebody still waits", bench.store.withdrawn, 0);
	bench_answer(&bench, 0, MUM_FOUND);
	WANT("the other is answered", first.calls == 0 && second.calls == 1);
	bench_free(&bench);
}

static void test_free_cancels_all(void **state)
{
	struct bench bench;
	struct got waiting, ready;

	(void)state;
	bench_init(&bench, 10000, 0);
	bench_ask(&bench, &waiting, MUM_ASK(MUM_DELIVERY), "a@d");
	bench_ask(&bench, &ready, MUM_ASK(MUM_DELIVERY), "impossible");
	lookups_free(&bench.lookups);
	WANT("set to NULL", bench.lookups == NULL);
	lookups_free(&bench.lookups);
	WANT_NUMBER("withdrawn", bench.store.withdrawn, 1);
	WANT_NUMBER("no timer is left", fake_host_timers(&bench.host), 0);
	WANT("no answers", waiting.calls == 0 && ready.calls == 0);
	bench_free(&bench);
}

/* ---- from inside an answer ---- */

static void start_another(struct got *got)
{
	struct got *next = got->other;

	got->inside = NULL;
	bench_ask(got->bench, next, MUM_ASK(MUM_DELIVERY), "next@d");
	WANT_NUMBER("not answered from inside", next->calls, 0);
}

static void test_start_from_inside(void **state)
{
	struct bench bench;
	struct got first, second = { 0 };

	(void)state;
	bench_init(&bench, 10000, 0);
	bench_ask(&bench, &first, MUM_ASK(MUM_DELIVERY), "a@d");
	first.inside = start_another;
	first.other = &second;
	bench_answer(&bench, 0, MUM_FOUND);
	WANT("the first is answered, the second asked",
	     first.calls == 1 && fake_store_pending(&bench.store) == 1);
	bench_answer(&bench, 0, MUM_FOUND);
	WANT_NUMBER("the second is answered", second.calls, 1);
	bench_free(&bench);
}

static void start_the_same(struct got *got)
{
	got->inside = got->calls < 100 ? start_the_same : NULL;
	got->lookup = mum_lookup_start(got->bench->lookups, MUM_ASK(MUM_DELIVERY), "a@d", 3,
				       2000, bench_on_answer, got);
}

/* Answers from the cache that ask again: the loop must get a turn in between. */
static void test_asking_without_end_leaves_the_loop_alive(void **state)
{
	struct bench bench;
	struct got got;

	(void)state;
	bench_init(&bench, 10000, 0);
	bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "a@d");
	got.inside = start_the_same;
	bench_answer(&bench, 0, MUM_FOUND);
	WANT_NUMBER("one answer in a turn", got.calls, 1);
	fake_host_turn(&bench.host);
	WANT_NUMBER("one more in the next", got.calls, 2);
	mum_lookup_cancel(&got.lookup);
	bench_free(&bench);
}

static void cancel_other(struct got *got)
{
	mum_lookup_cancel(&got->other->lookup);
}

static void test_cancel_from_inside(void **state)
{
	struct bench bench;
	struct got first, second, third;

	(void)state;
	bench_init(&bench, 10000, 0);
	bench_ask(&bench, &first, MUM_ASK(MUM_DELIVERY), "a@d");
	bench_ask(&bench, &second, MUM_ASK(MUM_DELIVERY), "a@d");
	bench_ask(&bench, &third, MUM_ASK(MUM_DELIVERY), "a@d");
	first.inside = cancel_other;
	first.other = &second;
	bench_answer(&bench, 0, MUM_FOUND);
	fake_host_settle(&bench.host, 5);
	WANT("the cancelled one never, the others once",
	     first.calls == 1 && second.calls == 0 && third.calls == 1);
	bench_free(&bench);
}

static void test_cancel_from_inside_of_another_question(void **state)
{
	struct bench bench;
	struct got first, second;

	(void)state;
	bench_init(&bench, 10000, 0);
	bench_ask(&bench, &first, MUM_ASK(MUM_DELIVERY), "a@d");
	bench_ask(&bench, &second, MUM_ASK(MUM_DELIVERY), "b@d");
	first.inside = cancel_other;
	first.other = &second;
	bench_answer(&bench, 0, MUM_FOUND);
	WANT("withdrawn while the store calls",
	     bench.store.withdrawn == 1 && fake_store_pending(&bench.store) == 0);
	bench_free(&bench);
}

static void look_at_facts(struct got *got)
{
	WANT("the facts of this answer are still there",
	     got->answer->facts[MUM_DELIVERY]->kind == MUM_DELIVERY &&
		     got->answer->address->key != NULL);
}

/* A cache of one entry: the second answer pushes out what the first waits with. */
static void test_facts_live_as_long_as_the_answer(void **state)
{
	struct bench bench;
	struct got first, second;

	(void)state;
	bench_init_entries(&bench, 10000, 0, 1);
	bench_ask(&bench, &first, MUM_ASK(MUM_DELIVERY), "a@d");
	bench_answer(&bench, 0, MUM_FOUND);
	bench_ask(&bench, &second, MUM_ASK(MUM_DELIVERY), "b@d");
	bench_ask(&bench, &first, MUM_ASK(MUM_DELIVERY), "a@d");
	first.inside = look_at_facts;
	bench_answer(&bench, 0, MUM_FOUND);
	fake_host_settle(&bench.host, 5);
	WANT("both are answered", first.calls == 1 && second.calls == 1);
	bench_free(&bench);
}

/* ---- the deadline ---- */

static void test_deadline(void **state)
{
	struct bench bench;
	struct got got;

	(void)state;
	bench_init(&bench, 10000, 0);
	bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "a@d");
	fake_host_advance(&bench.host, BENCH_DEADLINE - 1);
	WANT_NUMBER("a millisecond early", got.calls, 0);
	fake_host_advance(&bench.host, 1);
	WANT_NUMBER("now", got.calls, 1);
	WANT_NUMBER("trouble, never an absence", got.status, MUM_TEMPFAIL);
	WANT("with a reason", got.had_reason);
	WANT_NUMBER("withdrawn", bench.store.withdrawn, 1);
	WANT_NUMBER("counted", bench.stats.timeouts, 1);
	fake_host_advance(&bench.host, 100000);
	WANT_NUMBER("once", got.calls, 1);
	bench_free(&bench);
}

static void test_deadline_of_one_of_two_questions(void **state)
{
	struct bench bench;
	struct got got;

	(void)state;
	bench_init(&bench, 10000, 0);
	bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY) | MUM_ASK(MUM_OWNERS), "a@d");
	bench_answer(&bench, 0, MUM_FOUND);
	WANT_NUMBER("half an answer is none", got.calls, 0);
	fake_host_advance(&bench.host, BENCH_DEADLINE);
	WANT("trouble", got.calls == 1 && got.status == MUM_TEMPFAIL);
	bench_free(&bench);
}

static void test_each_has_its_own_deadline(void **state)
{
	struct bench bench;
	struct got early, late;

	(void)state;
	bench_init(&bench, 10000, 0);
	bench_ask(&bench, &early, MUM_ASK(MUM_DELIVERY), "a@d");
	fake_host_advance(&bench.host, 500);
	bench_ask(&bench, &late, MUM_ASK(MUM_DELIVERY), "a@d");
	fake_host_advance(&bench.host, BENCH_DEADLINE - 500);
	WANT("the first", early.calls == 1 && late.calls == 0);
	WANT_NUMBER("the question is still asked", fake_store_pending(&bench.store), 1);
	bench_answer(&bench, 0, MUM_FOUND);
	WANT("the second", late.calls == 1 && late.status == MUM_FOUND);
	bench_free(&bench);
}

static void test_trouble_with_one_question_ends_the_lookup(void **state)
{
	struct bench bench;
	struct got got;

	(void)state;
	bench_init(&bench, 10000, 0);
	bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY) | MUM_ASK(MUM_OWNERS), "a@d");
	bench_answer(&bench, 1, MUM_MISCONFIGURED);
	WANT("at once", got.calls == 1 && got.status == MUM_MISCONFIGURED);
	WANT_NUMBER("the other question is withdrawn", bench.store.withdrawn, 1);
	bench_free(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_answers_once_and_later),
		UNIT_TEST(test_a_store_that_answers_from_the_next_turn),
		UNIT_TEST(test_keys),
		UNIT_TEST(test_keys_that_name_nothing),
		UNIT_TEST(test_a_page_of_users),
		UNIT_TEST(test_cancel),
		UNIT_TEST(test_cancel_of_what_is_ready),
		UNIT_TEST(test_cancel_of_one_of_two_that_joined),
		UNIT_TEST(test_free_cancels_all),
		UNIT_TEST(test_start_from_inside),
		UNIT_TEST(test_asking_without_end_leaves_the_loop_alive),
		UNIT_TEST(test_cancel_from_inside),
		UNIT_TEST(test_cancel_from_inside_of_another_question),
		UNIT_TEST(test_facts_live_as_long_as_the_answer),
		UNIT_TEST(test_deadline),
		UNIT_TEST(test_deadline_of_one_of_two_questions),
		UNIT_TEST(test_each_has_its_own_deadline),
		UNIT_TEST(test_trouble_with_one_question_ends_the_lookup),
	};

	return cmocka_run_group_tests_name("lookup", tests, NULL, NULL);
}
