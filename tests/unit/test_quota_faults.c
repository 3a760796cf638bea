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
	(void)state;
	warm_up();
	for (int i = 0; i < 10; i++) {
		ask("slow@mailbox", &anna);
		pass(QUOTA_DEADLINE - 1);
		ask("bob@b", &bob);
		say("bob@b", FULL);
		WANT_NUMBER("others are asked", bob.answer, QUOTA_FULL);
		WANT("still waits", anna.question != NULL);
		pass(1);
		want_no_answer(&anna);
		say("slow@mailbox", ROOM);
		WANT("not late any more", !quota_client_awaits(client, "slow@mailbox"));
	}
	WANT("up", is_up());
	WANT_NUMBER("nothing is logged", fake.log_count, 0);
}

/* Each question would take one more of Dovecot's processes. */
static void who_is_late_keeps_a_connection_and_is_not_asked_about(void **state)
{
	(void)state;
	warm_up();
	ask("slow@mailbox", &anna);
	pass(QUOTA_DEADLINE);
	want_no_answer(&anna);
	for (int i = 0; i < 100; i++) {
		ask("bob@b", &bob);
		say("bob@b", FULL);
		WANT("no answer yet", quota_client_awaits(client, "slow@mailbox"));
		WANT("bob's was in time", !quota_client_awaits(client, "bob@b"));
		WANT_NUMBER("its connection and bob's", quota_server_open(&server), 2);
		pass(SECOND);
	}
	WANT("up", is_up());
	WANT_NUMBER("counted", quota_client_counts(client).skipped, 100);
	quota_server_close(&server, quota_server_find(&server, "slow@mailbox"));
	pass(1);
	WANT("nothing to wait for", !quota_client_awaits(client, "slow@mailbox"));
}

/* There may be more of them than connections. */
static void late_mailboxes_without_a_connection_are_tried_again(void **state)
{
	static const char *const late[] = { "one@hangs", "two@hangs", "three@hangs", "four@hangs" };

	(void)state;
	FOR_EACH_ROW(mailbox, late) {
		ask(*mailbox, &anna);
		pass(QUOTA_DEADLINE);
		ask("bob@b", &bob);
		say("bob@b", ROOM);
	}
	WANT("up", is_up());
	WANT_NUMBER("three and bob's", quota_server_open(&server), 4);
	WANT("the oldest is not asked about", quota_client_awaits(client, "one@hangs"));
	pass(30 * SECOND);
	WANT("for a while", !quota_client_awaits(client, "one@hangs"));
	WANT("others have connections", quota_client_awaits(client, "two@hangs"));
}

/* Older ones do not count, however long they hang; nor does one whose process has died. */
static void who_is_cut_does_not_count_in_the_row(void **state)
{
	static const char *const late[] = { "old@hangs", "older@hangs" };

	(void)state;
	FOR_EACH_ROW(mailbox, late) {
		ask(*mailbox, &anna);
		pass(QUOTA_DEADLINE);
	}
	ask("bob@b", &bob);
	say("bob@b", ROOM);
	for (int i = 0; i < 4; i++) {
		ask("dies@in-between", &anna);
		pass(QUOTA_DEADLINE);
		quota_server_close(&server, quota_server_find(&server, "dies@in-between"));
		pass(100);
	}
	WANT("up", is_up());
}

/* Who waits for a connection to ask about it would wait in vain, too. */
static void all_that_ask_about_a_late_mailbox_are_told(void **state)
{
	struct quota_asker three[3] = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++)
		ask("slow@mailbox", &three[i]);
	pass(QUOTA_DEADLINE);
	for (int i = 0; i < 3; i++)
		want_no_answer(&three[i]);
	WANT("one of its questions is left", quota_client_awaits(client, "slow@mailbox"));
	WANT_NUMBER("shown", quota_client_counts(client).busy, 1);
	WANT("up", is_up());
}

/* The first question of all, and the only one for a long time. */
static void a_slow_mailbox_all_alone(void **state)
{
	(void)state;
	ask("slow@mailbox", &anna);
	pass(QUOTA_DEADLINE);
	want_no_answer(&anna);
	WANT("up", is_up());
	WANT_NUMBER("connections", quota_server_open(&server), 2);
	say("slow@mailbox", FULL);
	WANT_NUMBER("its late answer ends one", quota_server_open(&server), 1);
	want_no_answer(&anna);
}

/* ---- every mailbox hangs, as on a disk of the network; probes are answered ---- */

static void be_late(const char *mailbox)
{
	ask(mailbox, &anna);
	pass(QUOTA_DEADLINE);
	want_no_answer(&anna);
}

static void three_mailboxes_in_a_row_are_the_service(void **state)
{
	(void)state;
	be_late("one@hangs");
	be_late("two@hangs");
	WANT("up", is_up());
	be_late("three@hangs");
	want_down("no answer about three mailboxes in a row; mail is accepted");
	ask("four@hangs", &bob);
	WANT("not asked", bob.question == NULL);
	server.probes = 0;
	pass(60 * SECOND);
	WANT("down", !is_up());
	WANT_NUMBER("no process more hangs", server.probes, 0);
	WANT_NUMBER("connections", quota_server_open(&server), 3);
	WANT_NUMBER("shown", quota_client_counts(client).busy, 3);
	say("two@hangs", ROOM);
	WANT("one answer brings it back", is_up());
	WANT_NUMBER("a line says so",
		    fake_host_logged(&fake, MUM_LOG_INFO, "answers again after 60.0 s"), 1);
	WANT_NUMBER("the others may be answered still", quota_server_open(&server), 2);
	ask("four@hangs", &carl);
	say("four@hangs", FULL);
	WANT_NUMBER("asked", carl.answer, QUOTA_FULL);
}

static void three_at_once_are_the_service(void **state)
{
	struct quota_settings three = { server.path, 3, QUOTA_DEADLINE, 0 };

	(void)state;
	quota_client_configure(client, &three);
	ask("one@hangs", &anna);
	ask("two@hangs", &bob);
	ask("three@hangs", &carl);
	pass(QUOTA_DEADLINE);
	want_no_answer(&anna);
	want_no_answer(&bob);
	want_no_answer(&carl);
	want_down("three mailboxes in a row");
}

static void an_answer_in_between_begins_a_new_row(void **state)
{
	(void)state;
	be_late("one@hangs");
	be_late("two@hangs");
	ask("bob@b", &bob);
	say("bob@b", ROOM);
	be_late("three@hangs");
	be_late("one@hangs");
	WANT("up", is_up());
	WANT_NUMBER("nothing is logged", fake.log_count, 0);
}

static void one_mailbox_is_one(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++)
		be_late("slow@mailbox");
	WANT("up", is_up());
	WANT_NUMBER("connections", quota_server_open(&server), 2);
}

static void who_waits_in_line_is_not_late(void **state)
{
	(void)state;
	ask("one@hangs", &anna);
	ask("two@hangs", &bob);
	pass(300);
	ask("three@hangs", &carl);
	pass(QUOTA_DEADLINE);
	want_no_answer(&carl);
	WANT("up", is_up());
}

/* Whoever restarts quota-status ends them; probes show that it is there. */
static void late_questions_that_are_cut_prove_nothing(void **state)
{
	static const char *const late[] = { "one@hangs", "two@hangs", "three@hangs" };

	(void)state;
	FOR_EACH_ROW(mailbox, late)
		be_late(*mailbox);
	FOR_EACH_ROW(mailbox, late)
		quota_server_close(&server, quota_server_find(&server, *mailbox));
	pass(SECOND);
	WANT("up", is_up());
	server.answers_probes = false;
	ask("anna@a", &anna);
	pass(QUOTA_DEADLINE);
	WANT("down", !is_up());
}

/* Of Dovecot, after its own deadline. */
static void trouble_is_no_late_answer(void **state)
{
	(void)state;
	be_late("one@hangs");
	be_late("two@hangs");
	be_late("three@hangs");
	server.answers_probes = false;
	say("one@hangs", TROUBLE);
	pass(10 * SECOND);
	WANT("down", !is_up());
	server.answers_probes = true;
	pass(SECOND);
	WANT("up", is_up());
}

/* ---- other ways not to answer ---- */

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
	want_down("does not answer as a policy service");
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
	want_down("does not answer as a policy service");
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

/* bob and carl share the only process; a question that waits for long is followed by a probe. */
static void at_its_process_limit_probes_do_not_pile_up(void **state)
{
	struct quota_settings four = { server.path, 4, QUOTA_DEADLINE, 0 };
	struct quota_counts counts;

	(void)state;
	quota_client_configure(client, &four);
	warm_up();
	server.accepts = false;
	for (int i = 0; i < 10; i++) {
		ask("bob@b", &bob);
		ask("carl@c", &carl);
		pass(400);
		say("bob@b", ROOM);
		pass(200);
		say("carl@c", ROOM);
		WANT_NUMBER("carl's answer", carl.answer, QUOTA_ROOM);
		pass(600);
		counts = quota_client_counts(client);
		WANT("one waits", counts.busy <= 1 && counts.idle <= 1);
	}
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
		QUOTA_TEST(who_is_late_keeps_a_connection_and_is_not_asked_about),
		QUOTA_TEST(late_mailboxes_without_a_connection_are_tried_again),
		QUOTA_TEST(who_is_cut_does_not_count_in_the_row),
		QUOTA_TEST(all_that_ask_about_a_late_mailbox_are_told),
		QUOTA_TEST(a_slow_mailbox_all_alone),
		QUOTA_TEST(three_mailboxes_in_a_row_are_the_service),
		QUOTA_TEST(three_at_once_are_the_service),
		QUOTA_TEST(an_answer_in_between_begins_a_new_row),
		QUOTA_TEST(one_mailbox_is_one),
		QUOTA_TEST(who_waits_in_line_is_not_late),
		QUOTA_TEST(late_questions_that_are_cut_prove_nothing),
		QUOTA_TEST(trouble_is_no_late_answer),
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
		QUOTA_TEST(at_its_process_limit_probes_do_not_pile_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
