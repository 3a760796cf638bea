/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <strings.h>

#include "common/text.h"
#include "postfix-policy/protocol/action.h"

static const struct {
	const char *name;
	enum recipient_verdict verdict;
	const char *action, *reason;
} recipients[] = {
	{ "unknown: Postfix answers itself", RECIPIENT_UNKNOWN, "DUNNO", "none" },
	{ "accepted", RECIPIENT_ACCEPTED, "DUNNO", "none" },
	{ "send-only", RECIPIENT_SEND_ONLY,
	  "550 5.2.1 mailbox does not accept mail (send-only)", "send_only" },
	{ "dead alias", RECIPIENT_DEAD_ALIAS,
	  "550 5.2.1 alias leads to no mailbox that accepts mail", "dead_alias" },
};

static void test_recipients(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, recipients) {
		WANT_TEXT(row->name, action_for_recipient(row->verdict), row->action);
		WANT_TEXT(row->name, reason_name(reason_for_recipient(row->verdict)),
			  row->reason);
	}
}

static void test_quota(void **state)
{
	static const struct {
		const char *name;
		enum mum_quota_reply reply;
		bool one;
		const char *want;
	} rows[] = {
		{ "one, deferred", MUM_QUOTA_DEFER, true, "452 4.2.2 mailbox is full" },
		{ "several, deferred", MUM_QUOTA_DEFER, false,
		  "452 4.2.2 all mailboxes of this address are full" },
		{ "one, refused", MUM_QUOTA_REJECT, true, "552 5.2.2 mailbox is full" },
		{ "several, refused", MUM_QUOTA_REJECT, false,
		  "552 5.2.2 all mailboxes of this address are full" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		WANT_TEXT(row->name, action_for_quota(row->reply, row->one), row->want);
	WANT_TEXT("the reason", reason_name(REASON_OVER_QUOTA), "over_quota");
}

static void test_send_limits(void **state)
{
	static const struct {
		const char *name;
		enum mum_send_reply reply;
		bool never;
		const char *want;
	} rows[] = {
		{ "later there is room", MUM_SEND_DEFER, false,
		  "450 4.7.1 too many recipients for this login; try again later" },
		{ "there never is", MUM_SEND_DEFER, true,
		  "554 5.7.1 more recipients in one mail than this login may send to" },
		{ "refused", MUM_SEND_REJECT, false,
		  "554 5.7.1 too many recipients for this login" },
		{ "refused, it never had room", MUM_SEND_REJECT, true,
		  "554 5.7.1 more recipients in one mail than this login may send to" },
		{ "held", MUM_SEND_HOLD, false, "HOLD too many recipients for this login" },
		{ "an admin may let it go, however many they are", MUM_SEND_HOLD, true,
		  "HOLD too many recipients for this login" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		WANT_TEXT(row->name, action_for_send(row->reply, row->never), row->want);
	WANT_TEXT("the reason", reason_name(REASON_SEND_LIMIT), "send_limit");
	WANT_TEXT("of one mail", reason_name(REASON_SEND_LIMIT_MAIL), "send_limit_mail");
}

static void test_senders(void **state)
{
	static const struct {
		const char *name;
		enum sender_verdict verdict;
		const char *login, *action, *reason;
	} rows[] = {
		{ "accepted", SENDER_ACCEPTED, "a@b", "DUNNO", "none" },
		{ "accepted, not logged in", SENDER_ACCEPTED, "", "DUNNO", "none" },
		{ "not owned", SENDER_NOT_OWNED, "a@b", "553 5.7.1 not owned by user a@b",
		  "sender_not_owned" },
		{ "not logged in", SENDER_NOT_LOGGED_IN, "", "553 5.7.1 not logged in",
		  "not_logged_in" },
		{ "a login in UTF-8", SENDER_NOT_OWNED, "j\xc3\xb6rg@b",
		  "553 5.7.1 not owned by user j\xc3\xb6rg@b", "sender_not_owned" },
		{ "a newline cannot end the action", SENDER_NOT_OWNED, "a\n\naction=OK",
		  "553 5.7.1 not owned by user ?", "sender_not_owned" },
		{ "a carriage return", SENDER_NOT_OWNED, "a\r", "553 5.7.1 not owned by user ?",
		  "sender_not_owned" },
		{ "invalid UTF-8", SENDER_NOT_OWNED, "\xff", "553 5.7.1 not owned by user ?",
		  "sender_not_owned" },
		{ "a C1 control", SENDER_NOT_OWNED, "\xc2\x85",
		  "553 5.7.1 not owned by user ?", "sender_not_owned" },
		{ "a format is only text", SENDER_NOT_OWNED, "%s%n",
		  "553 5.7.1 not owned by user %s%n", "sender_not_owned" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct buf buf = BUF_INIT(1000);
		char *got;

		action_put_sender(&buf, row->verdict, row->login);
		got = buf_steal(&buf);
		WANT_TEXT(row->name, got, row->action);
		WANT_TEXT(row->name, reason_name(reason_for_sender(row->verdict)),
			  row->reason);
		free(got);
	}
}

/* Postfix reads an empty action as "permit", just like OK: both would open the relay. */
static bool is_safe(const char *action)
{
	return *action != '\0' && strncasecmp(action, "OK", 2) != 0 &&
	       strncasecmp(action, "permit", 6) != 0 && strchr(action, '\n') == NULL &&
	       text_is_clean(action, strlen(action));
}

static void test_never_permits(void **state)
{
	(void)state;
	for (int verdict = RECIPIENT_UNKNOWN; verdict <= RECIPIENT_DEAD_ALIAS; verdict++)
		WANT("recipient", is_safe(action_for_recipient((enum recipient_verdict)verdict)));
	for (int verdict = SENDER_ACCEPTED; verdict <= SENDER_NOT_LOGGED_IN; verdict++) {
		struct buf buf = BUF_INIT(1000);
		char *got;

		action_put_sender(&buf, (enum sender_verdict)verdict, "OK");
		got = buf_steal(&buf);
		WANT("sender", is_safe(got));
		free(got);
	}
	WANT("no verdict", is_safe(ACTION_TEMPFAIL));
	WANT_TEXT("no verdict defers", ACTION_TEMPFAIL,
		  "DEFER_IF_PERMIT 4.3.0 temporary lookup failure");
	WANT("nothing to say", is_safe(ACTION_DUNNO));
	WANT("too many readings", is_safe(ACTION_TOO_MANY_READINGS));
	for (int reply = MUM_SEND_DEFER; reply <= MUM_SEND_HOLD; reply++)
		WANT("over a limit",
		     is_safe(action_for_send((enum mum_send_reply)reply, false)) &&
			     is_safe(action_for_send((enum mum_send_reply)reply, true)));
	WANT_TEXT("their code", reason_name(REASON_TOO_MANY_READINGS), "too_many_readings");
}

static void test_a_login_too_long_fails_the_buffer(void **state)
{
	struct buf buf = BUF_INIT(100);
	char *login = unit_repeat("x", 100);

	(void)state;
	action_put_sender(&buf, SENDER_NOT_OWNED, login);
	WANT("nothing is cut", buf.failed && buf.len == 0);
	buf_free(&buf);
	free(login);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_recipients),
		UNIT_TEST(test_quota), UNIT_TEST(test_send_limits),
		UNIT_TEST(test_senders),
		UNIT_TEST(test_never_permits),
		UNIT_TEST(test_a_login_too_long_fails_the_buffer),
	};

	return cmocka_run_group_tests_name("action", tests, NULL, NULL);
}
