/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "common/xalloc.h"
#include "postfix-policy/protocol/action.h"
#include "postfix-policy/send/check.h"
#include "tests/fakes/fake-host.h"

enum { MINUTE = 60000 };	/* ms */

static const char *const exempt[] = { "shop@b.test" };

/* Six a minute, ten at once: one comes back every ten seconds. */
static struct fake_host fake;
static struct mum_config config;
static struct decision_counts decisions;
static struct send_counts counts;
static struct send *send;

static void begin(void)
{
	fake_host_init(&fake);
	config = (struct mum_config){
		.policy = { .send_rate = 6, .send_period = MINUTE, .send_burst = 10,
			    .send_exempt = { 1, exempt }, .send_logins = 100 },
	};
	memset(&decisions, 0, sizeof(decisions));
	memset(&counts, 0, sizeof(counts));
	send = send_new(&fake.host, &config, &decisions, &counts);
}

static void end(void)
{
	send_free(&send);
	fake_host_free(&fake);
}

static int set_up(void **state)
{
	(void)state;
	begin();
	return 0;
}

static int tear_down(void **state)
{
	end();
	return unit_teardown(state);
}

static void configure(enum mum_check mode, enum mum_send_reply reply)
{
	config.policy.send = mode;
	config.policy.send_reply = reply;
	send_configure(send, &config);
}

#define SLICE(text) { (text), strlen(text) }

static const char *ask_in(const char *context, const char *state, const char *login,
			  const char *recipients)
{
	const struct policy_request request = {
		.state = SLICE(state), .context = SLICE(context), .login = SLICE(login),
		.recipient_count = SLICE(recipients), .sender = SLICE("a@b.test"),
		.client_name = SLICE("mail.b.test"), .client_address = SLICE("192.0.2.1"),
	};

	return send_check(send, &request);
}

static const char *rcpt(const char *login)
{
	return ask_in("sender", "RCPT", login, "0");
}

static const char *data(const char *login, const char *recipients)
{
	return ask_in("limit", "DATA", login, recipients);
}

static uint64_t left(const char *login)
{
	const struct send_entry *entry = send_table_find(send_table_of(send), login);

	return entry != NULL ? send_entry_left(entry, host_now_us(&fake.host)) : 10;
}

static void test_which_requests(void **state)
{
	static const struct {
		const char *context, *state, *login;
		const char *action;	/* NULL: goes on */
		int taken;
	} rows[] = {
		{ "limit", "DATA", "a@b.test", "DUNNO", 3 },
		{ "", "DATA", "a@b.test", "DUNNO", 3 },
		{ "sender", "DATA", "a@b.test", NULL, 0 },
		{ "recipient", "DATA", "a@b.test", NULL, 0 },
		{ "mx", "DATA", "a@b.test", NULL, 0 },
		{ "limit", "DATA", "", NULL, 0 },
		{ "limit", "RCPT", "a@b.test", "DUNNO", 0 },
		{ "sender", "RCPT", "a@b.test", NULL, 0 },
		{ "", "RCPT", "a@b.test", NULL, 0 },
		{ "recipient", "RCPT", "a@b.test", NULL, 0 },
		{ "limit", "MAIL", "a@b.test", NULL, 0 },
		{ "", "END-OF-MESSAGE", "a@b.test", NULL, 0 },
		{ "limit", "END-OF-MESSAGE", "a@b.test", NULL, 0 },
		{ "limit", "BDAT", "a@b.test", NULL, 0 },
		{ "", "", "a@b.test", NULL, 0 },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char *name = xasprintf("%s at %s", row->context, row->state);

		WANT_TEXT(name, ask_in(row->context, row->state, row->login, "3"),
			  row->action);
		WANT_NUMBER(name, 10 - left("a@b.test"), row->taken);
		free(name);
		end();
		begin();
	}
}

static void test_a_day_of_a_login(void **state)
{
	(void)state;
	WANT_TEXT("RCPT takes nothing", rcpt("a@b.test"), NULL);
	WANT_NUMBER("so", left("a@b.test"), 10);
	WANT_TEXT("DATA takes", data("a@b.test", "8"), "DUNNO");
	WANT_NUMBER("all of them", left("a@b.test"), 2);
	WANT_TEXT("three are too many", data("a@b.test", "3"), ACTION_SEND_DEFER);
	WANT_TEXT("again as well", data("a@b.test", "3"), ACTION_SEND_DEFER);
	WANT_NUMBER("a refusal takes nothing", left("a@b.test"), 2);
	WANT_TEXT("another session has the two", data("a@b.test", "2"), "DUNNO");
	WANT_TEXT("now RCPT says so", rcpt("a@b.test"), ACTION_SEND_DEFER);
	WANT_TEXT("in another spelling, too", rcpt("A@B.Test"), ACTION_SEND_DEFER);
	WANT_TEXT("others send on", data("b@b.test", "1"), "DUNNO");
	fake_host_advance(&fake, 9999);
	WANT_TEXT("not yet", rcpt("a@b.test"), ACTION_SEND_DEFER);
	fake_host_advance(&fake, 1);
	WANT_TEXT("one came back", rcpt("a@b.test"), NULL);
	WANT_TEXT("the same DATA may be asked again", data("a@b.test", "1"), "DUNNO");
	WANT_TEXT("more than ever", data("c@b.test", "11"), ACTION_SEND_NEVER);
	WANT_NUMBER("recipients taken", counts.recipients[SEND_TAKEN], 12);
	WANT_NUMBER("and over", counts.recipients[SEND_OVER], 3 + 3 + 1 + 1 + 1 + 11);
	WANT_NUMBER("decisions", decisions.checks[CHECK_SEND][OUTCOME_REJECT][REASON_SEND_LIMIT],
		    5);
	WANT_NUMBER("of whole mails",
		    decisions.checks[CHECK_SEND][OUTCOME_REJECT][REASON_SEND_LIMIT_MAIL], 1);
	WANT_NUMBER("passed", decisions.checks[CHECK_SEND][OUTCOME_DUNNO][REASON_NONE], 6);
	WANT_NUMBER("RCPT", counts.peeks, 5);
	WANT_NUMBER("DATA", counts.takes, 7);
}

static void test_counts(void **state)
{
	static const struct {
		const char *text;
		unsigned long long want;
	} rows[] = {
		{ "1", 1 }, { "10", 10 }, { "007", 7 }, { "0", 1 }, { "", 1 }, { "-3", 1 },
		{ "3 ", 1 }, { "x", 1 },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		WANT_TEXT(row->text, data("a@b.test", row->text), "DUNNO");
		WANT_NUMBER(row->text, 10 - left("a@b.test"), row->want);
		end();
		begin();
	}
	WANT_TEXT("a number of any length", data("a@b.test", "99999999999999999999999"),
		  ACTION_SEND_NEVER);
}

/* What Postfix is told: with room at RCPT and DATA, without any, and for too large a mail. */
static void test_modes(void **state)
{
	static const struct {
		const char *name;
		enum mum_check mode;
		enum mum_send_reply reply;
		const char *rcpt, *data, *large;
		enum outcome outcome;
	} rows[] = {
		{ "defer", MUM_CHECK_ENFORCE, MUM_SEND_DEFER, ACTION_SEND_DEFER,
		  ACTION_SEND_DEFER, ACTION_SEND_NEVER, OUTCOME_REJECT },
		{ "reject", MUM_CHECK_ENFORCE, MUM_SEND_REJECT, ACTION_SEND_REJECT,
		  ACTION_SEND_REJECT, ACTION_SEND_NEVER, OUTCOME_REJECT },
		{ "hold", MUM_CHECK_ENFORCE, MUM_SEND_HOLD, NULL, ACTION_SEND_HOLD,
		  ACTION_SEND_HOLD, OUTCOME_HOLD },
		{ "warn and defer", MUM_CHECK_WARN, MUM_SEND_DEFER, NULL, "DUNNO", "DUNNO",
		  OUTCOME_WOULD_REJECT },
		{ "warn and hold", MUM_CHECK_WARN, MUM_SEND_HOLD, NULL, "DUNNO", "DUNNO",
		  OUTCOME_WOULD_REJECT },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		configure(row->mode, row->reply);
		WANT_TEXT(row->name, data("a@b.test", "10"), "DUNNO");
		WANT_TEXT(row->name, rcpt("a@b.test"), row->rcpt);
		WANT_TEXT(row->name, data("a@b.test", "1"), row->data);
		WANT_TEXT(row->name, data("a@b.test", "11"), row->large);
		WANT_NUMBER(row->name, decisions.checks[CHECK_SEND][row->outcome]
						       [REASON_SEND_LIMIT],
			    row->rcpt != NULL ? 2 : 1);
		WANT_NUMBER(row->name, decisions.checks[CHECK_SEND][row->outcome]
						       [REASON_SEND_LIMIT_MAIL], 1);
		WANT_NUMBER(row->name,
			    send_table_find(send_table_of(send), "a@b.test")->sent,
			    row->mode == MUM_CHECK_WARN ? 22 : 10);
		end();
		begin();
	}
}

static void test_exempt(void **state)
{
	(void)state;
	WANT_TEXT("any number", data("Shop@b.test", "100000"), "DUNNO");
	WANT_TEXT("and again", rcpt("shop@b.test"), NULL);
	WANT_NUMBER("counted", counts.recipients[SEND_EXEMPT], 100000);
	WANT_NUMBER("for people",
		    send_table_find(send_table_of(send), "shop@b.test")->sent, 100000);
}

static void test_reload(void **state)
{
	(void)state;
	data("a@b.test", "10");
	config.policy.send_burst = 20;
	configure(MUM_CHECK_ENFORCE, MUM_SEND_REJECT);
	WANT_NUMBER("the larger burst", left("a@b.test"), 10);
	data("a@b.test", "10");
	WANT_TEXT("the new reply", rcpt("a@b.test"), ACTION_SEND_REJECT);
	WANT("something has changed", send_has_changed(send));
	WANT("nothing since", !send_has_changed(send));
}

static void test_log(void **state)
{
	(void)state;
	data("a@b.test", "9");
	data("A@b.test", "2");
	WANT_NUMBER("a line for each refusal", fake_host_logged(&fake, MUM_LOG_INFO,
		    "policy: reject: reason=send_limit sender=<a@b.test> recipient=<> "
		    "login=<A@b.test> client=mail.b.test[192.0.2.1] queue_id=NOQUEUE "
		    "recipients=2 left=1 action=<" ACTION_SEND_DEFER ">"), 1);
	WANT_NUMBER("a warning for people", fake_host_logged(&fake, MUM_LOG_WARNING,
		    "policy: send limit: login=<a@b.test> client=mail.b.test[192.0.2.1] "
		    "sent=9 over=2"), 1);
	data("a@b.test", "2");
	data("b@b.test", "11");
	WANT_NUMBER("once for a login", fake_host_logged(&fake, MUM_LOG_WARNING, "<a@b.test>"), 1);
	WANT_NUMBER("and for each", fake_host_logged(&fake, MUM_LOG_WARNING, "<b@b.test>"), 1);
	fake_host_advance(&fake, MINUTE - 1);
	data("a@b.test", "9");
	WANT_NUMBER("once a period", fake_host_logged(&fake, MUM_LOG_WARNING, "<a@b.test>"), 1);
	fake_host_advance(&fake, 1);
	data("a@b.test", "9");
	WANT_NUMBER("while it goes on", fake_host_logged(&fake, MUM_LOG_WARNING,
		    "sent=9 over=22"), 1);
	configure(MUM_CHECK_WARN, MUM_SEND_DEFER);
	data("a@b.test", "9");
	WANT_NUMBER("with warn", fake_host_logged(&fake, MUM_LOG_INFO,
		    "policy: would reject: reason=send_limit "), 1);
	configure(MUM_CHECK_ENFORCE, MUM_SEND_HOLD);
	data("a@b.test", "9");
	WANT_NUMBER("with hold", fake_host_logged(&fake, MUM_LOG_INFO,
		    "policy: hold: reason=send_limit "), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_which_requests, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_day_of_a_login, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_modes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_exempt, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reload, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_log, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
