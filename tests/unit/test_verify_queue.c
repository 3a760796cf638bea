/* SPDX-License-Identifier: MIT */
/* Verifications on their way to the workers, whom the test plays. */
#include "dovecot-plugin/dovecot.h"

#include "tests/unit/unit.h"

#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "dovecot-plugin/host-dovecot.h"
#include "dovecot-plugin/verify-queue.h"
#include "tests/fakes/fake-host.h"

enum { AT_ONCE = 3, ASKED_MAX = 16 };	/* processors */

/* One verification: what it was asked with, and what it came to. */
struct asked {
	char command[16];
	bool sent;
	worker_answer_fn *fn;
	void *context;
	size_t ends;
	enum passdb_result result;
};

static struct fake_host fake;
static struct auth_request request;
static struct asked asked[ASKED_MAX];
static size_t asked_count;
static bool many_processors;		/* more than a cpu_set_t has room for */
static bool answers_at_once;		/* inside the call that asks */
static unsigned ms_to_ask;		/* what it takes to ask a worker */

/* ---- the host, and Dovecot ---- */

static struct mum_timer *timer(void *ctx, unsigned ms, mum_timer_fn *fn, void *arg)
{
	(void)ctx;
	return fake.host.ops->timer(fake.host.ctx, ms, fn, arg);
}

static void untimer(void *ctx, struct mum_timer *timer)
{
	(void)ctx;
	fake.host.ops->untimer(fake.host.ctx, timer);
}

static uint64_t now(void *ctx)
{
	(void)ctx;
	return fake.now_ms;
}

static void log_line(void *ctx, enum mum_log_level level, const char *text)
{
	(void)ctx;
	fake.host.ops->log(fake.host.ctx, level, text);
}

static const struct mum_host_ops ops = {
	.timer = timer, .untimer = untimer, .now = now, .log = log_line
};

const struct mum_host host_dovecot = { &ops, NULL, NULL };

/* FALSE as with 2.4, TRUE as with 2.3: there are two programs. */
const bool dovecot_knows_worker_limit = KNOWS_WORKER_LIMIT;

int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
	(void)pid;
	if (many_processors)
		return -1;
	CPU_ZERO_S(size, set);
	for (size_t i = 0; i < AT_ONCE; i++)
		CPU_SET_S(i, size, set);
	return 0;
}

void request_ask_worker(struct auth_request *whose, const char *command,
			worker_answer_fn *fn, void *context)
{
	WANT("its request", whose == &request);
	for (size_t i = 0; i < asked_count; i++) {
		if (strcmp(asked[i].command, command) != 0)
			continue;
		WANT("sent once", !asked[i].sent);
		asked[i].sent = true;
		asked[i].fn = fn;
		asked[i].context = context;
		fake.now_ms += ms_to_ask;
		if (answers_at_once)
			fn(PASSDB_RESULT_OK, context);
		return;
	}
	WANT("one of those that were asked", false);
}

/* ---- what a test does ---- */

static void on_end(enum passdb_result result, void *context)
{
	struct asked *of = context;

	of->ends++;
	of->result = result;
}

static void ask(size_t count)
{
	while (count-- > 0) {
		struct asked *new = &asked[asked_count++];

		snprintf(new->command, sizeof(new->command), "PASSV %zu", asked_count);
		verify_queue_ask(&request, new->command, on_end, new);
	}
}

static void answer(size_t number, enum passdb_result result)
{
	asked[number].fn(result, asked[number].context);
}

/* The numbers of the verifications that the workers got, and of those that have ended. */
static size_t sent(void)
{
	size_t count = 0;

	for (size_t i = 0; i < asked_count; i++)
		count += asked[i].sent;
	return count;
}

static size_t ended(enum passdb_result result)
{
	size_t count = 0;

	for (size_t i = 0; i < asked_count; i++)
		count += asked[i].ends == 1 && asked[i].result == result;
	return count;
}

static size_t errors;

static void on_error(const struct failure_context *ctx, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static void on_error(const struct failure_context *ctx, const char *format, va_list args)
{
	(void)ctx;
	(void)format;
	(void)args;
	errors++;
}

static int begin(void **state)
{
	(void)state;
	fake_host_init(&fake);
	request.pool = pool_alloconly_create("request", 4096);
	request.event = event_create(NULL);
	p_array_init(&request.authdb_event, request.pool, 1);
	asked_count = 0;
	memset(asked, 0, sizeof(asked));
	many_processors = answers_at_once = false;
	ms_to_ask = 0;
	i_set_error_handler(on_error);
	errors = 0;
	return 0;
}

/* A test that failed leaves nothing to the next one. */
static int end(void **state)
{
	for (size_t i = 0; i < asked_count; i++) {
		if (asked[i].sent && asked[i].ends == 0)
			answer(i, PASSDB_RESULT_OK);
		fake_host_settle(&fake, 1);
	}
	WANT_NUMBER("no timer is left", fake_host_timers(&fake), 0);
	event_unref(&request.event);
	fake_host_free(&fake);
	pool_unref(&request.pool);
	return unit_teardown(state);
}

/* ---- workers that have never answered ---- */

static void test_those_behind_a_first_that_fails_fail(void **state)
{
	(void)state;
	ask(3);
	WANT_NUMBER("the first goes alone", sent(), 1);
	answer(0, PASSDB_RESULT_INTERNAL_FAILURE);
	WANT_NUMBER("not inside the answer", ended(PASSDB_RESULT_INTERNAL_FAILURE), 1);
	fake_host_settle(&fake, 1);
	WANT_NUMBER("all", ended(PASSDB_RESULT_INTERNAL_FAILURE), 3);
	WANT_NUMBER("none of them was sent", sent(), 1);
	WANT_NUMBER("the log names both", errors, 2);
	WANT_NUMBER("none has waited for long", fake.log_count, 0);
}

static void test_those_behind_a_first_that_is_answered_follow(void **state)
{
	(void)state;
	ask(3);
	WANT_NUMBER("the first goes alone", sent(), 1);
	answer(0, PASSDB_RESULT_PASSWORD_MISMATCH);
	WANT_NUMBER("not inside the answer", sent(), 1);
	fake_host_settle(&fake, 1);
	WANT_NUMBER("the others", sent(), 3);
	answer(1, PASSDB_RESULT_OK);
	answer(2, PASSDB_RESULT_OK);
	WANT_NUMBER("mismatch", ended(PASSDB_RESULT_PASSWORD_MISMATCH), 1);
	WANT_NUMBER("OK", ended(PASSDB_RESULT_OK), 2);
}

/* ---- workers that have ---- */

static void test_no_more_at_once_than_processors(void **state)
{
	(void)state;
	ask(10);
	WANT_NUMBER("at once", sent(), AT_ONCE);
	answer(1, PASSDB_RESULT_OK);
	WANT_NUMBER("not inside the answer", sent(), AT_ONCE);
	fake_host_settle(&fake, 1);
	WANT_NUMBER("one for one", sent(), AT_ONCE + 1);
	WANT("first come, first served", asked[AT_ONCE].sent);
	answer(0, PASSDB_RESULT_INTERNAL_FAILURE);
	answer(2, PASSDB_RESULT_OK);
	ask(1);
	WANT_NUMBER("a new one waits behind the others", sent(), AT_ONCE + 1);
	fake_host_settle(&fake, 1);
	WANT_NUMBER("two for two", sent(), AT_ONCE + 3);
	for (size_t i = AT_ONCE; i < asked_count; i++) {
		answer(i, PASSDB_RESULT_OK);
		fake_host_settle(&fake, 1);
	}
	WANT_NUMBER("each ends once", ended(PASSDB_RESULT_OK), 10);
	WANT_NUMBER("a failure is its own", ended(PASSDB_RESULT_INTERNAL_FAILURE), 1);
	WANT_NUMBER("nobody waited for long", fake.log_count, 0);
}

static void test_a_long_wait_is_told_when_it_begins_and_when_it_ends(void **state)
{
	(void)state;
	ask(AT_ONCE + 3);
	fake_host_advance(&fake, 2999);
	WANT_NUMBER("three seconds are nothing", fake.log_count, 0);
	fake_host_advance(&fake, 1);
	WANT_NUMBER("it begins, while no worker answers",
		    fake_host_logged(&fake, MUM_LOG_WARNING, "3 wait, one for 3 s"), 1);
	for (size_t i = 0; i < asked_count; i++) {
		answer(i, PASSDB_RESULT_OK);
		fake_host_settle(&fake, 1);
	}
	WANT_NUMBER("it ends", fake_host_logged(&fake, MUM_LOG_INFO, "0 were given up"), 1);
	ask(AT_ONCE + 1);
	fake_host_advance(&fake, 4000);
	WANT_NUMBER("not again within five minutes", fake.log_count, 2);
	answer(asked_count - 2, PASSDB_RESULT_OK);
	fake_host_settle(&fake, 1);
	fake_host_advance(&fake, 300000);
	ask(1);
	fake_host_advance(&fake, 4000);
	WANT_NUMBER("but then", fake_host_logged(&fake, MUM_LOG_WARNING, "1 wait, one for 3 s"), 1);
}

static void test_who_has_waited_a_minute_fails(void **state)
{
	(void)state;
	ask(AT_ONCE + 2);
	fake_host_advance(&fake, 1);
	ask(1);
	fake_host_advance(&fake, 59998);
	WANT_NUMBER("not a moment before", ended(PASSDB_RESULT_INTERNAL_FAILURE), 0);
	fake_host_advance(&fake, 1);
	WANT_NUMBER("though no worker answers", ended(PASSDB_RESULT_INTERNAL_FAILURE), 2);
	WANT_NUMBER("the log names both", errors, 2);
	fake_host_advance(&fake, 1);
	WANT_NUMBER("the next one in its own time", ended(PASSDB_RESULT_INTERNAL_FAILURE), 3);
	for (size_t i = 0; i < AT_ONCE; i++)
		answer(i, PASSDB_RESULT_OK);
	ask(1);
	WANT("the places are free again", asked[asked_count - 1].sent);
}

/* The minute ends while the one before is handed to a worker. */
static void test_who_gets_too_late_meanwhile_fails_at_once(void **state)
{
	(void)state;
	ask(AT_ONCE + 2);
	fake_host_advance(&fake, 59999);
	ms_to_ask = 2;
	answer(0, PASSDB_RESULT_OK);
	fake_host_settle(&fake, 2);
	WANT("one is in time", asked[AT_ONCE].sent);
	WANT_NUMBER("one is not", ended(PASSDB_RESULT_INTERNAL_FAILURE), 1);
}

static void test_workers_that_answer_inside_the_call(void **state)
{
	(void)state;
	ask(AT_ONCE + 2);
	answers_at_once = true;
	for (size_t i = 0; i < AT_ONCE; i++)
		answer(i, PASSDB_RESULT_OK);
	fake_host_settle(&fake, 10);
	WANT_NUMBER("each ends once", ended(PASSDB_RESULT_OK), AT_ONCE + 2);
	ask(1);
	WANT_NUMBER("also without waiting", ended(PASSDB_RESULT_OK), AT_ONCE + 3);
}

static void test_many_processors_are_counted(void **state)
{
	(void)state;
	many_processors = true;
	ask(2);
	WANT_NUMBER("those that are online", sent(), sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 2 : 1);
}

static void test_who_is_forgotten_is_not_called(void **state)
{
	(void)state;
	ask(AT_ONCE + 2);
	verify_queue_forget(&asked[AT_ONCE]);
	verify_queue_forget(&asked[0]);
	for (size_t i = 0; i < AT_ONCE; i++)
		answer(i, PASSDB_RESULT_OK);
	fake_host_settle(&fake, 1);
	WANT("nor sent", !asked[AT_ONCE].sent && asked[AT_ONCE].ends == 0);
	WANT("the one behind it is", asked[AT_ONCE + 1].sent);
	WANT("nor is one that a worker has", asked[0].ends == 1);
}

/* The last test: auth has ended. */
static void test_the_end_drops_what_waits(void **state)
{
	(void)state;
	ask(AT_ONCE + 2);
	answer(0, PASSDB_RESULT_OK);
	verify_queue_end();
	answer(1, PASSDB_RESULT_INTERNAL_FAILURE);
	fake_host_settle(&fake, 10);
	WANT_NUMBER("nothing more is sent", sent(), AT_ONCE);
	WANT_NUMBER("nobody else is called", ended(PASSDB_RESULT_OK) +
		    ended(PASSDB_RESULT_INTERNAL_FAILURE), 2);
}

#define TEST(FUNCTION) cmocka_unit_test_setup_teardown(FUNCTION, begin, end)

int main(void)
{
	const struct CMUnitTest cold[] = {
		TEST(test_those_behind_a_first_that_fails_fail),
		TEST(test_those_behind_a_first_that_is_answered_follow),
	};
	const struct CMUnitTest tests[] = {
		TEST(test_no_more_at_once_than_processors),
		TEST(test_a_long_wait_is_told_when_it_begins_and_when_it_ends),
		TEST(test_who_has_waited_a_minute_fails),
		TEST(test_who_gets_too_late_meanwhile_fails_at_once),
		TEST(test_workers_that_answer_inside_the_call),
		TEST(test_many_processors_are_counted),
		TEST(test_who_is_forgotten_is_not_called),
		TEST(test_the_end_drops_what_waits),
	};
	int failed = 0;

	lib_init();
	if (!dovecot_knows_worker_limit)
		failed = cmocka_run_group_tests_name("verify_queue, cold", cold, NULL, NULL);
	failed += cmocka_run_group_tests_name("verify_queue", tests, NULL, NULL);
	lib_deinit();
	return failed;
}
