/* SPDX-License-Identifier: MIT */
/* What becomes of a policy request. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "common/buf.h"
#include "common/xalloc.h"
#include "postfix-policy/decision.h"
#include "tests/fakes/fake-host.h"
#include "tests/unit/decision-world.h"

enum { DEADLINE = 1234 };	/* ms */

/* ---- a decision ---- */

static struct fake_host fake;
static struct mum_core core;
static struct decision_counts counts;
static struct decision *decision;
static char *action;		/* NULL: none yet */
static size_t calls;

static int setup(void **state)
{
	(void)state;
	fake_host_init(&fake);
	memset(&counts, 0, sizeof(counts));
	service = (struct quota_check){
		.verdict = { .mailboxes = MAILBOXES_FOUND, .answer = QUOTA_ROOM } };
	core = (struct mum_core){ .config = { .database.deadline = DEADLINE,
					      .address = { .allow_percent_hack = true,
							   .swap_bangpath = true,
							   .myorigin = "origin.example",
							   .mydomain = "" } } };
	decision = NULL;
	calls = 0;
	return 0;
}

static int teardown(void **state)
{
	WANT_NUMBER("lookups left", core.count, 0);
	WANT_NUMBER("quota checks left", service.waiting, 0);
	free(action);
	action = NULL;
	fake_host_free(&fake);
	return unit_teardown(state);
}

static void on_action(const char *text, void *arg)
{
	WANT("the argument", arg == &core);
	calls++;
	free(action);
	action = xstrdup(text);
	decision = NULL;
}

/* Attributes, a line each, of a request at RCPT. Its bytes are gone when this returns. */
static void start(const char *attributes, struct decision_counts *counted,
		  const struct decision_watch *watch)
{
	struct buf text = BUF_INIT(10000);
	struct policy_request request;
	/* It outlives the decision. */
	static struct decider decider;
	struct decision *started;
	size_t len;
	char *bytes;

	buf_printf(&text, "request=smtpd_access_policy\nprotocol_state=RCPT\n%s\n", attributes);
	len = text.len;
	bytes = buf_steal(&text);
	WANT("the request is read",
	     policy_parse(bytes, len, &request, &len) == PARSE_DONE);
	decider = (struct decider){ &fake.host, &core, (struct quota_client *)&service, counted,
				    watch };
	started = decision_start(&decider, &request, on_action, &core);
	memset(bytes, '?', len);
	free(bytes);
	WANT("a handle, or the action already", (started == NULL) == (calls > 0));
	decision = started;
}

/* Answers all questions, the oldest first, until there are none. */
static void settle(void)
{
	while (core.count > 0 || service.waiting > 0) {
		WANT("no action before the last answer", calls == 0);
		if (core.count > 0)
			world_answer(core.asked[0]);
		else
			world_answer_check();
	}
}

/* What was counted: "check outcome reason, ...", in the order of the checks. */
static char *counted(void)
{
	static const char *const checks[] = { "recipient", "sender", "send", "quota" };
	static const char *const outcomes[] = { "dunno",	 "reject", "would_reject",
						"defer", "would_defer", "hold" };
	struct buf text = BUF_INIT(10000);

	buf_puts(&text, counts.unchecked > 0 ? "unchecked" : "");
	for (int check = 0; check < CHECKS; check++) {
		for (int outcome = 0; outcome < OUTCOMES; outcome++) {
			for (int reason = 0; reason < REASONS; reason++) {
				if (counts.checks[check][outcome][reason] == 0)
					continue;
				WANT_NUMBER("counted once",
					    counts.checks[check][outcome][reason], 1);
				buf_printf(&text, "%s%s %s %s", text.len > 0 ? ", " : "",
					   checks[check], outcomes[outcome],
					   reason_name((enum reason)reason));
			}
		}
	}
	return buf_steal(&text);
}

/* ---- actions ---- */

#define ON MUM_CHECK_ENFORCE
#define WARN MUM_CHECK_WARN
#define OFF MUM_CHECK_OFF

#define ANNA "recipient=anna@d\n"
#define ONLY "recipient=only@d\n"
#define MINE "sender=anna@d\nsasl_username=anna@d\n"
#define OTHERS "sender=anna@d\nsasl_username=bob@d\n"
#define TROUBLE "trouble@d\n"

#define EIGHT "recipient=%d%d%d%d%d%d%d@d\n"	/* READINGS_MAX readings */

#define SEND_ONLY "550 5.2.1 mailbox does not accept mail (send-only)"
#define NOT_OWNED "553 5.7.1 not owned by user bob@d"

/* The modes of the three checks, a request, and what becomes of it. */
static const struct {
	const char *name;
	enum mum_check recipient, sender, quota;
	const char *attributes;
	const char *action, *counted;
	size_t lines;		/* in the log */
} rows[] = {
	{ "a mailbox", ON, OFF, OFF, ANNA, "DUNNO", "recipient dunno none", 0 },
	{ "a mailbox in a queue of checks", ON, ON, ON, ANNA MINE, "DUNNO",
	  "recipient dunno none, sender dunno none, quota dunno none", 0 },
	{ "nobody", ON, OFF, OFF, "recipient=nobody@d\n", "DUNNO", "recipient dunno none", 0 },
	{ "no such address can exist", ON, OFF, OFF, "recipient=anna@\n", "DUNNO",
	  "recipient dunno none", 0 },
	{ "send-only", ON, ON, ON, ONLY MINE, SEND_ONLY, "recipient reject send_only", 1 },
	{ "send-only, warn", WARN, OFF, OFF, ONLY, "DUNNO",
	  "recipient would_reject send_only", 1 },
	{ "then the sender, but no quota", WARN, ON, ON, ONLY MINE, "DUNNO",
	  "recipient would_reject send_only, sender dunno none", 1 },
	{ "a dead alias", ON, OFF, OFF, "recipient=dead@d\n",
	  "550 5.2.1 alias leads to no mailbox that accepts mail",
	  "recipient reject dead_alias", 1 },
	{ "no answer about the recipient", ON, ON, ON, MINE "recipient=" TROUBLE,
	  ACTION_TEMPFAIL, "recipient defer no_answer", 0 },
	{ "no answer, warn", WARN, ON, ON, MINE "recipient=" TROUBLE, "DUNNO",
	  "recipient would_defer no_answer, sender dunno none", 0 },
	{ "no answer about the sender", OFF, ON, OFF,
	  "sasl_username=anna@d\nsender=" TROUBLE, ACTION_TEMPFAIL,
	  "sender defer no_answer", 0 },
	{ "the owner", OFF, ON, OFF, ANNA MINE, "DUNNO", "sender dunno none", 0 },
	{ "not the owner", ON, ON, ON, ANNA OTHERS, NOT_OWNED,
	  "recipient dunno none, sender reject sender_not_owned", 1 },
	{ "not the owner, warn", ON, WARN, OFF, ANNA OTHERS, "DUNNO",
	  "recipient dunno none, sender would_reject sender_not_owned", 1 },
	{ "then the quota of a recipient that passed", ON, WARN, ON, ANNA OTHERS, "DUNNO",
	  "recipient dunno none, sender would_reject sender_not_owned, quota dunno none", 1 },
	{ "the mode of each is its own", WARN, ON, OFF, ONLY OTHERS, NOT_OWNED,
	  "recipient would_reject send_only, sender reject sender_not_owned", 2 },
	{ "both warn", WARN, WARN, WARN, ONLY OTHERS, "DUNNO",
	  "recipient would_reject send_only, sender would_reject sender_not_owned", 2 },
	{ "nobody has logged in", ON, ON, OFF, ANNA "sender=anna@d\n", "DUNNO",
	  "recipient dunno none", 0 },
	{ "the null sender", OFF, ON, OFF, "sender=\nsasl_username=bob@d\n", "DUNNO",
	  "unchecked", 0 },
	{ "a sender of one byte", OFF, ON, OFF, "sender=a\nsasl_username=b\n",
	  "553 5.7.1 not owned by user b", "sender reject sender_not_owned", 1 },
	{ "a recipient of one byte", ON, OFF, ON, "recipient=a\n", "DUNNO",
	  "recipient dunno none, quota dunno none", 0 },
	{ "no recipient", ON, OFF, ON, "sender=anna@d\n", "DUNNO", "unchecked", 0 },
	{ "all off", OFF, OFF, OFF, ONLY OTHERS, "DUNNO", "unchecked", 0 },
	{ "only the quota", OFF, OFF, ON, ANNA, "DUNNO", "quota dunno none", 0 },
	{ "the part of a recipient", ON, ON, ON, "policy_context=recipient\n" ANNA OTHERS,
	  "DUNNO", "recipient dunno none, quota dunno none", 0 },
	{ "the part of a sender", ON, ON, ON, "policy_context=sender\n" ONLY OTHERS,
	  NOT_OWNED, "sender reject sender_not_owned", 1 },
};

static void ask_row(size_t at)
{
	char *text;

	core.config.policy.recipient = rows[at].recipient;
	core.config.policy.sender = rows[at].sender;
	core.config.policy.quota = rows[at].quota;
	start(rows[at].attributes, &counts, NULL);
	settle();
	text = counted();
	WANT_TEXT(rows[at].name, action, rows[at].action);
	WANT_TEXT(rows[at].name, text, rows[at].counted);
	WANT_NUMBER(rows[at].name, calls, 1);
	WANT_NUMBER(rows[at].name, fake.log_count, rows[at].lines);
	free(text);
}

static void ask_rows(void **state, bool at_once)
{
	for (size_t at = 0; at < ARRAY_LEN(rows); at++) {
		core.at_once = at_once;
		ask_row(at);
		fake_host_free(&fake);
		setup(state);
	}
}

static void test_actions(void **state)
{
	ask_rows(state, false);
}

/* As from the cache. */
static void test_actions_at_once(void **state)
{
	ask_rows(state, true);
}

static void test_who_has_not_logged_in(void **state)
{
	static const struct {
		const char *name;
		enum mum_unauthenticated unauthenticated;
		enum mum_sender_login login;
		const char *sender, *action;
	} cases[] = {
		{ "accept", MUM_UNAUTHENTICATED_ACCEPT, MUM_SENDER_STRICT, "anna@d", "DUNNO" },
		{ "reject", MUM_UNAUTHENTICATED_REJECT, MUM_SENDER_STRICT, "anna@d",
		  "553 5.7.1 not logged in" },
		{ "reject: nobody owns it", MUM_UNAUTHENTICATED_REJECT, MUM_SENDER_STRICT,
		  "nobody@d", "DUNNO" },
	};

	(void)state;
	FOR_EACH_ROW(row, cases) {
		char attributes[100];

		calls = 0;
		core.config.policy.recipient = OFF;
		core.config.policy.sender_unauthenticated = row->unauthenticated;
		core.config.policy.sender_login = row->login;
		snprintf(attributes, sizeof(attributes), "sender=%s\n", row->sender);
		start(attributes, &counts, NULL);
		settle();
		WANT_TEXT(row->name, action, row->action);
	}
}

static void test_known_or_strict(void **state)
{
	static const char stranger[] = "sender=x@y\nsasl_username=bob@d\n";

	(void)state;
	core.config.policy.recipient = OFF;
	core.config.policy.sender_login = MUM_SENDER_KNOWN;
	start(stranger, &counts, NULL);
	settle();
	WANT_TEXT("known: whom nobody owns", action, "DUNNO");
	calls = 0;
	core.config.policy.sender_login = MUM_SENDER_STRICT;
	start(stranger, &counts, NULL);
	settle();
	WANT_TEXT("strict: whom nobody owns", action, NOT_OWNED);
}

static void test_a_login_too_long_for_an_action_defers(void **state)
{
	char *login = unit_repeat("x", 8193 - strlen("553 5.7.1 not owned by user "));
	struct buf text = BUF_INIT(10000);
	char *attributes;

	(void)state;
	core.config.policy.recipient = OFF;
	buf_printf(&text, "sender=anna@d\nsasl_username=%s\n", login);
	attributes = buf_steal(&text);
	start(attributes, &counts, NULL);
	settle();
	WANT_TEXT("one byte too long", action, ACTION_TEMPFAIL);
	calls = 0;
	memmove(strchr(attributes, 'x'), strchr(attributes, 'x') + 1,
		strlen(strchr(attributes, 'x')));
	start(attributes, &counts, NULL);
	settle();
	WANT_NUMBER("the longest that fits", strlen(action), 8192);
	free(attributes);
	free(login);
}

static void test_too_many_readings(void **state)
{
	char *text = unit_repeat("x", READING_TEXT_MAX + 1);
	struct buf attributes = BUF_INIT(10000);
	char *got;

	(void)state;
	buf_printf(&attributes, "recipient=%s\n", text);
	got = buf_steal(&attributes);
	start(got, &counts, NULL);
	WANT_TEXT("refused at once", action, ACTION_TOO_MANY_READINGS);
	free(got);
	got = counted();
	WANT_TEXT("counted", got, "recipient reject too_many_readings");
	free(got);
	free(text);
}

/* Without counts, nothing else differs. */
static void test_nobody_counts(void **state)
{
	(void)state;
	start(ONLY, NULL, NULL);
	settle();
	WANT_TEXT("refused", action, SEND_ONLY);
	calls = 0;
	core.config.policy.recipient = core.config.policy.quota = OFF;
	start(ONLY, NULL, NULL);
	WANT_TEXT("unchecked", action, "DUNNO");
}

static void test_log_line(void **state)
{
	static const struct {
		const char *name;
		enum mum_check mode;
		const char *attributes, *want;
	} lines[] = {
		{ "all that there is", ON,
		  ONLY "sender=x@y\nsasl_username=<bob>\nclient_name=a client\n"
		       "client_address=192.0.2.1\nqueue_id=4Xq\n",
		  "policy: reject: reason=send_only sender=<x@y> recipient=<only@d> "
		  "login=<\\x3cbob\\x3e> client=a\\x20client[192.0.2.1] queue_id=4Xq action=<"
		  SEND_ONLY ">" },
		{ "little", WARN, ONLY,
		  "policy: would reject: reason=send_only sender=<> recipient=<only@d> "
		  "login=<> client=-[-] queue_id=NOQUEUE action=<" SEND_ONLY ">" },
	};

	(void)state;
	core.config.policy.sender = core.config.policy.quota = OFF;
	FOR_EACH_ROW(row, lines) {
		calls = 0;
		fake_host_clear_log(&fake);
		core.config.policy.recipient = row->mode;
		start(row->attributes, &counts, NULL);
		settle();
		WANT_NUMBER(row->name, fake.log_count, 1);
		WANT_TEXT(row->name, fake.log[0].text, row->want);
		WANT("at info", fake.log[0].level == MUM_LOG_INFO);
	}
}

/* ---- readings ---- */

static void test_what_is_asked(void **state)
{
	(void)state;
	core.config.policy.quota = OFF;
	start("recipient=anna%y@z\n" OTHERS, &counts, NULL);
	WANT_NUMBER("all readings and the first one's domain at once", core.count, 3);
	WANT_NUMBER("delivery", core.asked[0]->questions, MUM_ASK(MUM_DELIVERY));
	WANT_TEXT("the first reading", core.asked[0]->key, "anna%y@z");
	WANT_NUMBER("the domain", core.asked[1]->questions, MUM_ASK(MUM_DOMAIN));
	WANT_TEXT("the domain", core.asked[1]->key, "z");
	WANT_NUMBER("delivery", core.asked[2]->questions, MUM_ASK(MUM_DELIVERY));
	WANT_TEXT("the second reading", core.asked[2]->key, "anna@y");
	for (size_t i = 0; i < core.count; i++)
		WANT_NUMBER("its deadline", core.asked[i]->deadline, DEADLINE);
	while (core.count > 1)
		world_answer(core.asked[0]);
	world_answer(core.asked[0]);
	WANT_NUMBER("then the sender", core.count, 1);
	WANT_NUMBER("owners", core.asked[0]->questions, MUM_ASK(MUM_OWNERS));
	WANT_TEXT("the sender", core.asked[0]->key, "anna@d");
	settle();
}

/* It asks about a domain only if a reading depends on it. */
static void test_how_much_is_asked(void **state)
{
	static const struct {
		const char *name, *attributes;
		size_t want;
	} cases[] = {
		{ "one reading", ANNA, 1 },
		{ "two that count always", "recipient=anna%d@\n", 2 },
		{ "two, of which one depends on the domain", "recipient=anna%d@z\n", 3 },
		{ "as many as may be", EIGHT, 15 },
	};

	(void)state;
	core.config.policy.quota = OFF;
	FOR_EACH_ROW(row, cases) {
		calls = 0;
		start(row->attributes, &counts, NULL);
		WANT_NUMBER(row->name, core.count, row->want);
		settle();
	}
}

/* In any order: once all are there, the strictest reading that counts decides. */
static void test_answers_in_any_order(void **state)
{
	static const size_t orders[][3] = { { 0, 0, 0 }, { 0, 1, 0 }, { 1, 0, 0 },
					    { 1, 1, 0 }, { 2, 0, 0 }, { 2, 1, 0 } };
	static const struct {
		const char *name, *attributes, *action;
	} cases[] = {
		{ "the second counts in a foreign domain", "recipient=only%d@z\n", SEND_ONLY },
		{ "not in one of ours", "recipient=only%d@d\n", "DUNNO" },
		{ "the domain is not known", "recipient=only%d@trouble\n", ACTION_TEMPFAIL },
		{ "no answer about the second", "recipient=trouble%d@z\n", ACTION_TEMPFAIL },
		{ "nor is it needed", "recipient=trouble%d@d\n", ACTION_TEMPFAIL },
	};

	(void)state;
	core.config.policy.quota = OFF;
	FOR_EACH_ROW(row, cases) {
		FOR_EACH_ROW(order, orders) {
			calls = 0;
			start(row->attributes, &counts, NULL);
			for (size_t i = 0; i < 3 && core.count > 0; i++) {
				WANT_NUMBER(row->name, calls, 0);
				world_answer(core.asked[(*order)[i]]);
			}
			WANT_NUMBER(row->name, calls, 1);
			WANT_TEXT(row->name, action, row->action);
		}
	}
}

/* ---- those who want to know why ---- */

static struct buf seen = BUF_INIT(10000);

static void on_reading(size_t at, const char *text, const struct mum_answer *got, void *arg)
{
	WANT("the watch's argument", arg == &seen);
	WANT("the answer is there", got->facts[MUM_DELIVERY] != NULL ||
					     got->facts[MUM_OWNERS] != NULL);
	WANT("before the action", calls == 0);
	buf_printf(&seen, "%zu %s, ", at, text);
}

static void on_judged(size_t count, void *arg)
{
	WANT("the watch's argument", arg == &seen);
	WANT("before the action", calls == 0);
	buf_printf(&seen, "%zu count, ", count);
}

static void test_watch(void **state)
{
	static const struct decision_watch watch = { on_reading, on_judged, &seen };
	static const struct {
		const char *name, *attributes, *want;
	} cases[] = {
		{ "one reading", ANNA, "0 anna@d, 1 count, " },
		{ "recipient and sender", ANNA MINE,
		  "0 anna@d, 1 count, 0 anna@d, 1 count, " },
		{ "two readings in a foreign domain", "recipient=only%d@z\n",
		  "0 only%d@z, 1 only@d, 2 count, " },
		{ "two readings in a domain of ours", "recipient=only%d@d\n",
		  "0 only%d@d, 1 only@d, 1 count, " },
		{ "no answer", "recipient=trouble%d@z\n",
		  "0 trouble%d@z, 1 trouble@d, 2 count, " },
	};

	(void)state;
	core.config.policy.quota = OFF;
	FOR_EACH_ROW(row, cases) {
		char *got;

		calls = 0;
		start(row->attributes, &counts, &watch);
		settle();
		got = buf_steal(&seen);
		WANT_TEXT(row->name, got, row->want);
		free(got);
	}
}

/* ---- quota ---- */

static const struct {
	const char *name;
	enum mum_check mode;
	enum mum_quota_reply reply;
	bool down;
	struct quota_verdict verdict;
	const char *action, *counted;
} quotas[] = {
	{ "full", ON, MUM_QUOTA_DEFER, false, { .full = true, .count = 1 },
	  "452 4.2.2 mailbox is full", "quota reject over_quota" },
	{ "all are full", ON, MUM_QUOTA_REJECT, false, { .full = true, .count = 2 },
	  "552 5.2.2 all mailboxes of this address are full",
	  "quota reject over_quota" },
	{ "full, warn", WARN, MUM_QUOTA_DEFER, false, { .full = true, .count = 1 },
	  "DUNNO", "quota would_reject over_quota" },
	{ "room", ON, MUM_QUOTA_DEFER, false,
	  { .count = 1, .mailboxes = MAILBOXES_FOUND, .answer = QUOTA_ROOM }, "DUNNO",
	  "quota dunno none" },
	{ "Dovecot knows no such user", ON, MUM_QUOTA_DEFER, false,
	  { .count = 1, .mailboxes = MAILBOXES_FOUND, .answer = QUOTA_UNKNOWN },
	  "DUNNO", "quota dunno none" },
	{ "Dovecot does not answer", ON, MUM_QUOTA_DEFER, false,
	  { .count = 1, .mailboxes = MAILBOXES_FOUND, .answer = QUOTA_NO_ANSWER },
	  "DUNNO", "quota dunno no_answer" },
	{ "the database does not", ON, MUM_QUOTA_DEFER, false,
	  { .mailboxes = MAILBOXES_NO_ANSWER, .answer = QUOTA_ROOM }, "DUNNO",
	  "quota dunno no_answer" },
	{ "nobody", ON, MUM_QUOTA_DEFER, false, { .mailboxes = MAILBOXES_NOBODY },
	  "DUNNO", "quota dunno none" },
	{ "the service is down", ON, MUM_QUOTA_DEFER, true, { .full = true }, "DUNNO",
	  "quota dunno no_answer" },
};

static void test_quota(void **state)
{
	FOR_EACH_ROW(row, quotas) {
		char *text;

		core.config.policy.recipient = OFF;
		core.config.policy.quota = row->mode;
		core.config.policy.quota_reply = row->reply;
		service.down = row->down;
		service.verdict = row->verdict;
		start(ANNA "size=1000\n", &counts, NULL);
		settle();
		text = counted();
		WANT_TEXT(row->name, action, row->action);
		WANT_TEXT(row->name, text, row->counted);
		free(text);
		fake_host_free(&fake);
		setup(state);
	}
}

static void test_the_quota_of_the_recipient(void **state)
{
	(void)state;
	core.config.policy.recipient = OFF;
	service.verdict = (struct quota_verdict){ .full = true, .count = 1, .asked = 3 };
	start("recipient=Anna@d\nsize=1000\n", &counts, NULL);
	WANT_TEXT("its address", service.recipient, "Anna@d");
	WANT_NUMBER("the size of the mail", service.size, 1000);
	/* As after a reload: the core may even be gone. */
	memset(&core.config.policy, 0xff, sizeof(core.config.policy));
	settle();
	WANT_TEXT("as it was set when it was asked", action, "452 4.2.2 mailbox is full");
	WANT_NUMBER("size and time in the log",
		    fake_host_logged(&fake, MUM_LOG_INFO, " size=1000 asked=3 action=<"), 1);
}

static void test_no_quota_service(void **state)
{
	const struct decider decider = { &fake.host, &core, NULL, &counts, NULL };
	struct policy_request request = { .state = { "RCPT", 4 }, .recipient = { "a@d", 3 } };

	(void)state;
	core.config.policy.recipient = OFF;
	WANT("nothing to ask", decision_start(&decider, &request, on_action, &core) == NULL);
	WANT_TEXT("at once", action, "DUNNO");
	WANT_NUMBER("counted", counts.unchecked, 1);
}

/* ---- cancelled ---- */

/* After any number of answers, nothing is left, and the action never comes. */
static void test_cancel(void **state)
{
	size_t answers = 0;

	(void)state;
	for (bool more = true; more; answers++) {
		calls = 0;
		start("recipient=anna%y@z\n" MINE, &counts, NULL);
		for (size_t i = 0; i < answers && core.count + service.waiting > 0; i++) {
			if (core.count > 0)
				world_answer(core.asked[0]);
			else
				world_answer_check();
		}
		more = decision != NULL;
		decision_cancel(&decision);
		WANT("the handle is gone", decision == NULL);
		WANT_NUMBER("lookups", core.count, 0);
		WANT_NUMBER("quota checks", service.waiting, 0);
		WANT_NUMBER("the action comes only when all is answered", calls, !more);
	}
	WANT_NUMBER("answers that it takes", answers - 1, 5);
	decision_cancel(&decision);
}

static void test_cancel_as_many_readings_as_may_be(void **state)
{
	(void)state;
	start(EIGHT, &counts, NULL);
	world_answer(core.asked[0]);
	decision_cancel(&decision);
	WANT_NUMBER("lookups", core.count, 0);
	WANT_NUMBER("no action", calls, 0);
}

#define DECISION_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DECISION_TEST(test_actions),
		DECISION_TEST(test_actions_at_once),
		DECISION_TEST(test_who_has_not_logged_in),
		DECISION_TEST(test_known_or_strict),
		DECISION_TEST(test_a_login_too_long_for_an_action_defers),
		DECISION_TEST(test_too_many_readings),
		DECISION_TEST(test_nobody_counts),
		DECISION_TEST(test_log_line),
		DECISION_TEST(test_what_is_asked),
		DECISION_TEST(test_how_much_is_asked),
		DECISION_TEST(test_answers_in_any_order),
		DECISION_TEST(test_watch),
		DECISION_TEST(test_quota),
		DECISION_TEST(test_the_quota_of_the_recipient),
		DECISION_TEST(test_no_quota_service),
		DECISION_TEST(test_cancel),
		DECISION_TEST(test_cancel_as_many_readings_as_may_be),
	};

	return cmocka_run_group_tests_name("decision", tests, NULL, NULL);
}
