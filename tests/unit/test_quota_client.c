/* SPDX-License-Identifier: MIT */
/* Questions to quota-status: connections, the line, settings. Faults: test_quota_faults.c. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "tests/unit/quota-world.h"

static void want_answer(const struct quota_asker *asker, enum quota_answer answer)
{
	WANT_NUMBER("once", asker->answers, 1);
	WANT_NUMBER("the answer", asker->answer, answer);
	WANT("the handle is gone", asker->question == NULL);
}

static void a_connection_answers_a_probe_before_a_question(void **state)
{
	(void)state;
	server.answers_probes = false;
	ask("anna@a", &anna);
	WANT("the probe", quota_server_find(&server, "mumd-probe-") == 0);
	WANT("no question yet", quota_server_find(&server, "anna@a") == QUOTA_SERVER_CONNS);
	say("mumd-probe-", "action=REJECT Unknown user\n\n");
	WANT_TEXT("the question, with its size", server.asked[0], "anna@a 7");
	say("anna@a", FULL);
	want_answer(&anna, QUOTA_FULL);
	WANT_TEXT("the action", anna.text, "452 4.2.2 mailbox is full");
	WANT_NUMBER("nothing is logged", fake.log_count, 0);
}

static void one_after_the_other_they_share_a_connection(void **state)
{
	(void)state;
	ask("anna@a", &anna);
	say("anna@a", ROOM);
	ask("bob@b", &bob);
	say("bob@b", FULL);
	ask("carl@c", &carl);
	say("carl@c", "action=\n\n");
	want_answer(&anna, QUOTA_ROOM);
	want_answer(&bob, QUOTA_FULL);
	want_answer(&carl, QUOTA_UNKNOWN);
	WANT_NUMBER("one connection", server.count, 1);
	WANT_NUMBER("one probe", server.probes, 1);
}

static void more_than_there_are_connections_wait_in_line(void **state)
{
	struct quota_counts counts;

	(void)state;
	ask("anna@a", &anna);
	ask("bob@b", &bob);
	ask("carl@c", &carl);
	WANT_NUMBER("connections", server.count, 2);
	WANT("waits", quota_server_find(&server, "carl@c") == QUOTA_SERVER_CONNS);
	counts = quota_client_counts(client);
	WANT_NUMBER("busy", counts.busy, 2);
	say("bob@b", ROOM);
	want_answer(&bob, QUOTA_ROOM);
	say("carl@c", FULL);
	say("anna@a", ROOM);
	want_answer(&carl, QUOTA_FULL);
	want_answer(&anna, QUOTA_ROOM);
	counts = quota_client_counts(client);
	WANT_NUMBER("idle", counts.idle, 2);
	WANT_NUMBER("busy", counts.busy, 0);
	WANT_NUMBER("counted", counts.answers[QUOTA_ROOM], 2);
	WANT_NUMBER("counted", counts.answers[QUOTA_FULL], 1);
}

static void a_cancelled_question_shifts_no_answer(void **state)
{
	size_t old;

	(void)state;
	ask("anna@a", &anna);
	old = quota_server_find(&server, "anna@a");
	quota_cancel(&anna.question);
	ask("bob@b", &bob);
	WANT("the connection went with it", server.fds[old] < 0);
	say("bob@b", ROOM);
	want_answer(&bob, QUOTA_ROOM);
	WANT_NUMBER("never called", anna.answers, 0);
}

static void cancelling_lets_the_next_one_go(void **state)
{
	(void)state;
	ask("anna@a", &anna);
	ask("bob@b", &bob);
	ask("carl@c", &carl);
	quota_cancel(&anna.question);
	quota_server_turn(&server);
	say("carl@c", ROOM);
	want_answer(&carl, QUOTA_ROOM);
}

static void a_reload_of_dovecot_costs_nothing(void **state)
{
	(void)state;
	ask("anna@a", &anna);
	say("anna@a", ROOM);
	quota_server_close(&server, 0);
	quota_server_turn(&server);
	ask("bob@b", &bob);
	say("bob@b", FULL);
	want_answer(&bob, QUOTA_FULL);
	WANT_NUMBER("nothing is logged", fake.log_count, 0);
}

/* The client sent it before it saw the end. */
static void a_question_to_a_connection_that_ends_is_asked_again(void **state)
{
	(void)state;
	ask("anna@a", &anna);
	say("anna@a", ROOM);
	ask("bob@b", &bob);
	quota_server_close(&server, 0);
	quota_server_turn(&server);
	say("bob@b", FULL);
	want_answer(&bob, QUOTA_FULL);
	WANT_NUMBER("nothing is logged", fake.log_count, 0);
}

static void without_a_path_nobody_asks(void **state)
{
	const struct quota_settings off = { NULL, 2, QUOTA_DEADLINE, 0 };

	(void)state;
	ask("anna@a", &anna);
	say("anna@a", ROOM);
	ask("bob@b", &bob);
	quota_client_configure(client, &off);
	want_answer(&bob, QUOTA_NO_ANSWER);
	quota_server_turn(&server);
	WANT_NUMBER("no connections", quota_server_open(&server), 0);
	ask("carl@c", &carl);
	WANT("not asked", carl.question == NULL);
	WANT_NUMBER("nor counted", quota_client_counts(client).skipped, 0);
	WANT_NUMBER("it is not down", quota_client_counts(client).up, 1);
}

static void settings_that_are_the_same_change_nothing(void **state)
{
	const struct quota_settings same = { server.path, 2, QUOTA_DEADLINE, 0 };

	(void)state;
	ask("anna@a", &anna);
	quota_client_configure(client, &same);
	WANT("under way", anna.question != NULL);
	say("anna@a", FULL);
	want_answer(&anna, QUOTA_FULL);
	WANT_NUMBER("one connection", server.count, 1);
}

static void settings_that_change_begin_anew(void **state)
{
	const struct quota_settings more = { server.path, 3, QUOTA_DEADLINE, 0 };

	(void)state;
	ask("anna@a", &anna);
	quota_client_configure(client, &more);
	want_answer(&anna, QUOTA_NO_ANSWER);
	ask("bob@b", &bob);
	say("bob@b", FULL);
	want_answer(&bob, QUOTA_FULL);
}

/* The log says when each trouble ends. */
static void settings_that_change_end_a_trouble(void **state)
{
	const struct quota_settings more = { server.path, 3, QUOTA_DEADLINE, 0 };

	(void)state;
	quota_server_end(&server);
	ask("anna@a", &anna);
	quota_client_configure(client, &more);
	WANT_NUMBER("up", quota_client_counts(client).up, 1);
	WANT_NUMBER("a line says so",
		    fake_host_logged(&fake, MUM_LOG_INFO, "the service is tried anew"), 1);
	ask("bob@b", &bob);
	WANT_NUMBER("down again",
		    fake_host_logged(&fake, MUM_LOG_WARNING, "mail is accepted without asking"), 2);
}

static void the_end_calls_nobody(void **state)
{
	(void)state;
	ask("anna@a", &anna);
	ask("bob@b", &bob);
	ask("carl@c", &carl);
	quota_client_free(&client);
	WANT_NUMBER("calls", anna.answers + bob.answers + carl.answers, 0);
}

#define QUOTA_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		QUOTA_TEST(a_connection_answers_a_probe_before_a_question),
		QUOTA_TEST(one_after_the_other_they_share_a_connection),
		QUOTA_TEST(more_than_there_are_connections_wait_in_line),
		QUOTA_TEST(a_cancelled_question_shifts_no_answer),
		QUOTA_TEST(cancelling_lets_the_next_one_go),
		QUOTA_TEST(a_reload_of_dovecot_costs_nothing),
		QUOTA_TEST(a_question_to_a_connection_that_ends_is_asked_again),
		QUOTA_TEST(without_a_path_nobody_asks),
		QUOTA_TEST(settings_that_are_the_same_change_nothing),
		QUOTA_TEST(settings_that_change_begin_anew),
		QUOTA_TEST(settings_that_change_end_a_trouble),
		QUOTA_TEST(the_end_calls_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
