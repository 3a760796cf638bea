/* SPDX-License-Identifier: MIT */
/* A quota-status that is down, late, half or at its limit, and a mailbox that is slow. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "tests/unit/quota-world.h"

#define TROUBLE "action=DEFER_IF_PERMIT Temporary internal error\n\n"

enum { SECOND = 1000 };

/* Runs both ends every tenth of a second. */
static void pass(unsigned ms)
{
	for (; ms > 0; ms -= ms < 100 ? ms : 100) {
		fake_host_advance(&fake, ms < 100 ? ms : 100);
		quota_server_turn(&server);
	}
}

/* Makes a connection that has answered. */
static void warm_up(void)
{
	ask("warm@up", &anna);
	say("warm@up", ROOM);
	memset(&anna, 0, sizeof(anna));
	pass(1);
}

static bool is_up(void)
{
	return quota_client_counts(client).up;
}

static void want_no_answer(const struct quota_asker *asker)
{
	WANT_NUMBER("once", asker->answers, 1);
	WANT_NUMBER("the answer", asker->answer, QUOTA_NO_ANSWER);
}

static void want_down(const char *why)
{
	WANT("down", !is_up());
	WANT_NUMBER("one line", fake_host_logged(&fake, MUM_LOG_WARNING, "quota: unix:"), 1);
	WANT_NUMBER(why, fake_host_logged(&fake, MUM_LOG_WARNING, why), 1);
}

static void nobody_listens(void **state)
{
	(void)state;
	quota_server_end(&server);
	ask("anna@a", &anna);
	WANT("not asked", anna.question == NULL);
	want_down("No such file or directory; mail is accepted without asking");
	ask("bob@b", &bob);
	WANT("not asked", bob.question == NULL);
	pass(10 * SECOND);
	want_down("No such file or directory");
	WANT_NUMBER("skipped", quota_client_counts(client).skipped, 2);
	quota_server_listen(&server);
	pass(SECOND);
	WANT("up", is_up());
	WANT_NUMBER("a line says so",
		    fake_host_logged(&fake, MUM_LOG_INFO, "answers again after 11.0 s"), 1);
	ask("carl@c", &carl);
	say("carl@c", FULL);
	WANT_NUMBER("asked", carl.answer, QUOTA_FULL);
}

static void no_question_is_a_probe_and_a_second_has_one(void **state)
{
	(void)state;
	server.answers_probes = false;
	ask("anna@a", &anna);
	pass(QUOTA_DEADLINE / 2);
	want_no_answer(&anna);
	want_down("no answer within 500 ms");
	server.probes = 0;
	for (int i = 0; i < 5; i++) {
		ask("bob@b", &bob);
		WANT("not asked", bob.question == NULL);
		pass(SECOND);
	}
	WANT_NUMBER("probes", server.probes, 5);
	WANT("no question", quota_server_find(&server, "bob@b") == QUOTA_SERVER_CONNS);
	WANT("probes pile up", quota_server_open(&server) <= 1);
}

/* As if its processes were stopped. All that wait fail together. */
static void it_falls_silent(void **state)
{
	(void)state;
	warm_up();
	server.answers_probes = false;
	ask("anna@a", &anna);
	pass(QUOTA_DEADLINE - 100);
	ask("bob@b", &bob);
	ask("carl@c", &carl);
	WANT("waits", anna.question != NULL && bob.question != NULL);
	pass(100);
	want_no_answer(&anna);
	want_no_answer(&bob);
	want_no_answer(&carl);
	want_down("no answer within 500 ms");
	server.answers_probes = true;
	pass(SECOND);
	WANT("up", is_up());
}

static void a_slow_mailbox_is_not_a_service_that_is_down(void **state)
{
	size_t slow;

	(void)state;
	warm_up();
	for (int i = 0; i < 10; i++) {
		ask("slow@mailbox", &anna);
		slow = quota_server_find(&server, "slow@mailbox");
		pass(QUOTA_DEADLINE - 1);
		ask("bob@b", &bob);
		say("bob@b", FULL);
		WANT_NUMBER("others are asked", bob.answer, QUOTA_FULL);
		WANT("still waits", anna.question != NULL);
		pass(1);
		want_no_answer(&anna);
		WANT("its late answer has nowhere to go", server.fds[slow] < 0);
	}
	WANT("up", is_up());
	WANT_NUMBER("nothing is logged", fake.log_count, 0);
}

/* The first question of all, and the only one for a long time. */
static void a_slow_mailbox_all_alone(void **state)
{
	(void)state;
	ask("slow@mailbox", &anna);
	pass(QUOTA_DEADLINE);
	want_no_answer(&anna);
	WANT("up", is_up());
	WANT_NUMBER("connections", quota_server_open(&server), 1);
}

static void a_mailbox_that_makes_it_crash(void **state)
{
	static const char *const halves[] = { "", "action=452 4.2.2 mail" };

	(void)state;
	FOR_EACH_ROW(half, halves) {
		warm_up();
		ask("bad@mailbox", &anna);
		/* Once for the connection that could have been stale. */
		for (int i = 0; i < 2 && anna.question != NULL; i++) {
			size_t conn = quota_server_find(&server, "bad@mailbox");

			quota_server_say(&server, conn, *half);
			quota_server_close(&server, conn);
			quota_server_turn(&server);
		}
		want_no_answer(&anna);
		WANT("up", is_up());
	}
	WANT_NUMBER("nothing is logged", fake.log_count, 0);
}

static void half_an_answer_is_none(void **state)
{
	(void)state;
	ask("anna@a", &anna);
	quota_server_say(&server, 0, "action=452 4.2.2 mailbox is full\n");
	pass(QUOTA_DEADLINE);
	want_no_answer(&anna);
}

static void what_is_no_answer(void **state)
{
	static const char *const rows[] = {
		"220 ready\n",		"action=OK\n\naction=452 4.2.2\n\n",
		"x=y\n\n",		FULL "\n",
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		ask("anna@a", &anna);
		say("anna@a", *row);
		want_no_answer(&anna);
		WANT("its connection is closed", quota_server_open(&server) <= 1);
		WANT("up", is_up());
	}
}

static void a_service_that_speaks_another_protocol(void **state)
{
	(void)state;
	server.answers_probes = false;
	ask("anna@a", &anna);
	say("mumd-probe-", "220 LMTP ready\n");
	want_no_answer(&anna);
	want_down("none of a policy service");
}

static void a_service_that_hangs_up(void **state)
{
	(void)state;
	server.answers_probes = false;
	ask("anna@a", &anna);
	quota_server_close(&server, 0);
	quota_server_turn(&server);
	want_no_answer(&anna);
	want_down("hangs up");
}

/* The question that shows it starts a probe that proves it. */
static void a_service_that_turns_bad(void **state)
{
	(void)state;
	warm_up();
	server.answers_probes = false;
	ask("anna@a", &anna);
	say("anna@a", "220 LMTP ready\n");
	want_no_answer(&anna);
	WANT("one question proves nothing", is_up());
	say("mumd-probe-", "220 LMTP ready\n");
	want_down("none of a policy service");
}

static void bytes_that_nobody_asked_for_end_a_connection(void **state)
{
	(void)state;
	warm_up();
	quota_server_say(&server, 0, ROOM);
	ask("anna@a", &anna);
	say("anna@a", FULL);
	WANT_NUMBER("the right answer", anna.answer, QUOTA_FULL);
	WANT_NUMBER("on another one", server.count, 2);
}

/* Dovecot's auth or the database is away: each question would have to wait for it. */
static void it_says_that_it_cannot_tell(void **state)
{
	(void)state;
	warm_up();
	server.answers_probes = false;
	ask("anna@a", &anna);
	say("anna@a", TROUBLE);
	WANT_NUMBER("no refusal", anna.answer, QUOTA_TROUBLE);
	WANT("one mailbox says nothing", is_up());
	say("mumd-probe-", TROUBLE);
	want_down("DEFER_IF_PERMIT Temporary internal error; mail is accepted");
}

static void it_cannot_tell_of_one_mailbox(void **state)
{
	(void)state;
	ask("anna@a", &anna);
	say("anna@a", TROUBLE);
	WANT("up", is_up());
	WANT_NUMBER("nothing is logged", fake.log_count, 0);
}

/* The kernel takes connections that nobody will answer. */
static void at_its_process_limit(void **state)
{
	(void)state;
	warm_up();
	server.accepts = false;
	for (int i = 0; i < 20; i++) {
		ask("anna@a", &anna);
		ask("bob@b", &bob);
		pass(50);
		say("anna@a", FULL);
		WANT_NUMBER("at once", anna.answer, QUOTA_FULL);
		say("bob@b", ROOM);
		WANT_NUMBER("when the first is done", bob.answer, QUOTA_ROOM);
		pass(100);
	}
	WANT("up", is_up());
	WANT_NUMBER("nothing is logged", fake.log_count, 0);
	server.accepts = true;
	quota_server_turn(&server);
	ask("anna@a", &anna);
	ask("bob@b", &bob);
	WANT("two at a time again", quota_server_find(&server, "bob@b") < QUOTA_SERVER_CONNS);
}

static void at_its_process_limit_from_the_beginning(void **state)
{
	(void)state;
	server.accepts = false;
	ask("anna@a", &anna);
	pass(QUOTA_DEADLINE / 2);
	want_no_answer(&anna);
	want_down("no answer within 500 ms");
	server.accepts = true;
	pass(SECOND);
	WANT("up", is_up());
}

#define QUOTA_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		QUOTA_TEST(nobody_listens),
		QUOTA_TEST(no_question_is_a_probe_and_a_second_has_one),
		QUOTA_TEST(it_falls_silent),
		QUOTA_TEST(a_slow_mailbox_is_not_a_service_that_is_down),
		QUOTA_TEST(a_slow_mailbox_all_alone),
		QUOTA_TEST(a_mailbox_that_makes_it_crash),
		QUOTA_TEST(half_an_answer_is_none),
		QUOTA_TEST(what_is_no_answer),
		QUOTA_TEST(a_service_that_speaks_another_protocol),
		QUOTA_TEST(a_service_that_hangs_up),
		QUOTA_TEST(a_service_that_turns_bad),
		QUOTA_TEST(bytes_that_nobody_asked_for_end_a_connection),
		QUOTA_TEST(it_says_that_it_cannot_tell),
		QUOTA_TEST(it_cannot_tell_of_one_mailbox),
		QUOTA_TEST(at_its_process_limit),
		QUOTA_TEST(at_its_process_limit_from_the_beginning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
