/* SPDX-License-Identifier: MIT */
/* Which addresses and logins a line of Postfix's log names. */
#include "tests/unit/unit.h"

#include "common/xalloc.h"
#include "mumctl/compare/mail-log.h"

#define SYSLOG "Nov 29 15:00:01 mx postfix/smtpd[123]: "
#define QMGR "Nov  9 15:00:01 mx postfix/qmgr[123]: "
#define ISO "2026-11-29T15:00:01.123456+01:00 mx postfix/submission/smtpd[123]: "

/* NULL: the line has no such part. */
static const struct {
	const char *line;
	const char *queue_id, *sender, *recipient, *original, *login;
} cases[] = {
	{ SYSLOG "4Xn2bC1D: client=h[192.0.2.1], sasl_method=PLAIN, sasl_username=a@b.test",
	  "4Xn2bC1D", NULL, NULL, NULL, "a@b.test" },
	{ ISO "4Xn2bC1D: client=h[192.0.2.1], sasl_method=PLAIN, sasl_username=a b@c.test, "
	      "sasl_sender=x",
	  "4Xn2bC1D", NULL, NULL, NULL, "a b@c.test" },
	{ QMGR "4Xn2bC1D: from=<a@b.test>, size=1, nrcpt=1 (queue active)", "4Xn2bC1D", "a@b.test",
	  NULL, NULL, NULL },
	{ QMGR "4Xn2bC1D: from=<>, size=1, nrcpt=1 (queue active)", "4Xn2bC1D", "", NULL, NULL,
	  NULL },
	{ "Nov 29 15:00:01 mx postfix/lmtp[1]: A1B2C: to=<a@b.test>, orig_to=<c@b.test>, relay=x",
	  "A1B2C", NULL, "a@b.test", "c@b.test", NULL },
	{ SYSLOG "NOQUEUE: reject: RCPT from h[192.0.2.1]: 550 5.1.1 <c@d.test>: Recipient address "
		 "rejected: no; from=<a@b.test> to=<c@d.test> proto=ESMTP helo=<x>",
	  NULL, "a@b.test", "c@d.test", NULL, NULL },
	{ SYSLOG "NOQUEUE: reject: RCPT from h[192.0.2.1]: 553 5.7.1 no; from=<a@b.test> "
		 "to=<c@d.test> proto=ESMTP helo=<x> sasl_username=<e@b.test>",
	  NULL, "a@b.test", "c@d.test", NULL, "e@b.test" },
	{ QMGR "4Xn2bC1D: from=<\"a> b\"@c.test>, size=1", "4Xn2bC1D", "\"a> b\"@c.test", NULL,
	  NULL, NULL },
	{ QMGR "4Xn2bC1D: from=<\"a>b\"@c.test>", "4Xn2bC1D", "\"a>b\"@c.test", NULL, NULL, NULL },
	{ QMGR "4Xn2bC1D: from=<cut off", "4Xn2bC1D", "cut off", NULL, NULL, NULL },
	{ "Nov 29 15:00:01 mx mail-out/qmgr[1]: 4Xn2bC1D: from=<a@b.test>", "4Xn2bC1D",
	  "a@b.test", NULL, NULL, NULL },
};

/* Lines of other programs, or of Postfix but not about a mail. */
static const char *const nothing[] = {
	"", " ", "[", "]:", "a/b[1]:", "a/b[1]: ", "a/b[1]: X", "a/b[1]: X:", "a/b[]: X: to=<a@b>",
	"a/b[x]: X: to=<a@b>", "postfix[1]: X: to=<a@b.test>",
	"Nov 29 15:00:01 mx dovecot: lmtp(anna)<1>: from=<a@b.test>",
	SYSLOG "connect from h[192.0.2.1]", SYSLOG "X: from=", SYSLOG "X: xfrom=<a@b.test>",
	SYSLOG "4Xn2bC1D: removed",
	"one two three four five six postfix/qmgr[1]: X: from=<a@b.test>",
};

static void want_part(const char *name, const struct mail_log_text *part, const char *wanted)
{
	char *text = part->data != NULL ? xstrndup(part->data, part->len) : NULL;

	WANT_TEXT(name, text, wanted);
	free(text);
}

static void test_lines(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, cases) {
		struct mail_log_line line;

		WANT(row->line, mail_log_read(row->line, &line));
		want_part(row->line, &line.queue_id, row->queue_id);
		want_part(row->line, &line.sender, row->sender);
		want_part(row->line, &line.recipient, row->recipient);
		want_part(row->line, &line.original, row->original);
		want_part(row->line, &line.login, row->login);
	}
}

static void test_other_lines(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, nothing) {
		struct mail_log_line line;

		WANT(*row, !mail_log_read(*row, &line));
	}
}

/* Nothing is read behind the end, wherever a line is cut; sanitizers watch that. */
static void test_each_cut(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, cases) {
		for (size_t len = 0; len < strlen(row->line); len++) {
			char *cut = xstrndup(row->line, len);
			struct mail_log_line line;

			(void)mail_log_read(cut, &line);
			free(cut);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_lines),
		UNIT_TEST(test_other_lines),
		UNIT_TEST(test_each_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
