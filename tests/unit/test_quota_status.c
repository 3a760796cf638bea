/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "postfix-policy/protocol/quota-status.h"

/* Answers that Dovecot 2.3.19 and 2.4.1 were seen to give, and others. */
static const struct {
	const char *name, *wire;
	enum parse_result want;
	enum quota_answer answer;
} replies[] = {
	{ "room", "action=OK\n\n", PARSE_DONE, QUOTA_ROOM },
	{ "room, as we set it up", "action=DUNNO\n\n", PARSE_DONE, QUOTA_ROOM },
	{ "full, Dovecot's default", "action=554 5.2.2 Quota exceeded (mailbox for user is full)\n\n",
	  PARSE_DONE, QUOTA_FULL },
	{ "full, as we set it up", "action=452 4.2.2 mailbox is full\n\n", PARSE_DONE, QUOTA_FULL },
	{ "full, as tutorials have it", "action=552 5.2.2 Mailbox is full\n\n", PARSE_DONE,
	  QUOTA_FULL },
	{ "too large for it", "action=552 5.2.3 too large\n\n", PARSE_DONE, QUOTA_FULL },
	{ "codes alone", "action=552 5.2.2\n\n", PARSE_DONE, QUOTA_FULL },
	{ "2.4's empty action is neither", "action=\n\n", PARSE_DONE, QUOTA_UNKNOWN },
	{ "nobody", "action=REJECT Unknown user\n\n", PARSE_DONE, QUOTA_UNKNOWN },
	{ "another refusal", "action=550 5.1.1 unknown\n\n", PARSE_DONE, QUOTA_UNKNOWN },
	{ "a code of two digits", "action=52 5.2.2 full\n\n", PARSE_DONE, QUOTA_UNKNOWN },
	{ "a permission with such a text", "action=250 2.2.2 full\n\n", PARSE_DONE, QUOTA_UNKNOWN },
	{ "no enhanced code", "action=552 mailbox is full 5.2.2\n\n", PARSE_DONE, QUOTA_UNKNOWN },
	{ "a longer number", "action=552 5.2.22 x\n\n", PARSE_DONE, QUOTA_UNKNOWN },
	{ "cut", "action=552 5.2.\n\n", PARSE_DONE, QUOTA_UNKNOWN },
	{ "another detail", "action=552 5.2.1 x\n\n", PARSE_DONE, QUOTA_UNKNOWN },
	{ "another subject", "action=552 5.1.2 x\n\n", PARSE_DONE, QUOTA_UNKNOWN },
	{ "a tab", "action=552\t5.2.2\n\n", PARSE_DONE, QUOTA_UNKNOWN },
	{ "it cannot tell", "action=DEFER_IF_PERMIT Temporary internal error\n\n", PARSE_DONE,
	  QUOTA_TROUBLE },
	{ "it cannot tell, in short", "action=defer\n\n", PARSE_DONE, QUOTA_TROUBLE },
	{ "other attributes beside it", "x=y\naction=552 5.2.2\nz=\n\n", PARSE_DONE, QUOTA_FULL },
	{ "the last action counts", "action=552 5.2.2\naction=OK\n\n", PARSE_DONE, QUOTA_ROOM },
	{ "values hold equals signs", "action=552 5.2.2 a=b\n\n", PARSE_DONE, QUOTA_FULL },
	{ "nothing", "", PARSE_MORE, QUOTA_NO_ANSWER },
	{ "half", "action=552 5.2.2 full\n", PARSE_MORE, QUOTA_NO_ANSWER },
	{ "no action", "x=y\n\n", PARSE_BAD, QUOTA_NO_ANSWER },
	{ "only the end", "\n", PARSE_BAD, QUOTA_NO_ANSWER },
	{ "another protocol", "220 LMTP ready\n", PARSE_BAD, QUOTA_NO_ANSWER },
	{ "a line without an equals sign", "action=OK\nx\n\n", PARSE_BAD, QUOTA_NO_ANSWER },
};

static enum parse_result parse(const char *wire, size_t len, enum quota_answer *answer_r,
			       size_t *wire_len_r)
{
	char *block = unit_exact(wire, len);
	struct slice text;
	enum parse_result result = quota_parse_reply(block, len, answer_r, &text, wire_len_r);

	free(block);
	return result;
}

static void test_replies(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, replies) {
		enum quota_answer answer = QUOTA_NO_ANSWER;
		size_t wire_len = 0;

		WANT_NUMBER(row->name, parse(row->wire, strlen(row->wire), &answer, &wire_len),
			    row->want);
		WANT_NUMBER(row->name, answer, row->answer);
		if (row->want == PARSE_DONE)
			WANT_NUMBER(row->name, wire_len, strlen(row->wire));
	}
}

static void test_any_cut_means_more(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, replies) {
		for (size_t cut = 0; row->want == PARSE_DONE && cut < strlen(row->wire); cut++) {
			enum quota_answer answer = QUOTA_NO_ANSWER;
			size_t wire_len;

			WANT_NUMBER(row->name, parse(row->wire, cut, &answer, &wire_len), PARSE_MORE);
			WANT_NUMBER(row->name, answer, QUOTA_NO_ANSWER);
		}
	}
}

static void test_the_rest_is_told(void **state)
{
	static const char wire[] = "action=OK\n\naction=552 5.2.2\n\n";
	enum quota_answer answer = QUOTA_NO_ANSWER;
	size_t wire_len = 0;

	(void)state;
	WANT("done", parse(wire, sizeof(wire) - 1, &answer, &wire_len) == PARSE_DONE);
	WANT_NUMBER("the first", answer, QUOTA_ROOM);
	WANT_NUMBER("its length", wire_len, sizeof("action=OK\n\n") - 1);
}

static void test_length_limit(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		enum parse_result want;
	} rows[] = {
		{ "one below", QUOTA_REPLY_MAX - 1, PARSE_MORE },
		{ "at the limit", QUOTA_REPLY_MAX, PARSE_BAD },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char *wire = unit_repeat("x", row->len);
		enum quota_answer answer;
		size_t wire_len;

		WANT_NUMBER(row->name, parse(wire, row->len, &answer, &wire_len), row->want);
		free(wire);
	}
}

static void test_the_request(void **state)
{
	struct buf out = BUF_INIT(1000);
	char *text;

	(void)state;
	quota_put_request(&out, "anna@example.org", 1234);
	text = buf_steal(&out);
	WANT_TEXT("with a size", text,
		  "request=smtpd_access_policy\nprotocol_state=RCPT\n"
		  "recipient=anna@example.org\nsize=1234\n\n");
	free(text);
}

static void test_names(void **state)
{
	static const struct {
		const char *name;
		bool want;
	} rows[] = {
		{ "anna@example.org", true }, { "o'clock+x@example.org", true },
		{ "", false }, { "an na@example.org", false }, { "\"anna\"@example.org", false },
		{ "j\xc3\xb6rg@example.org", false }, { "a\n@b", false }, { "a\x7f@b", false },
	};
	char *longest = unit_repeat("x", QUOTA_MAILBOX_MAX);
	char *longer = unit_repeat("x", QUOTA_MAILBOX_MAX + 1);

	(void)state;
	FOR_EACH_ROW(row, rows)
		WANT(row->name, quota_can_ask(row->name) == row->want);
	WANT("the longest", quota_can_ask(longest));
	WANT("one byte more", !quota_can_ask(longer));
	free(longest);
	free(longer);
}

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t want;
	} rows[] = {
		{ "", 0 }, { "0", 0 }, { "1234", 1234 }, { "007", 7 }, { "abc", 0 }, { "12a", 0 },
		{ "-1", 0 }, { " 1", 0 }, { "18446744073709551615", UINT64_MAX },
		{ "18446744073709551616", 0 }, { "99999999999999999999999", 0 },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		const struct slice size = { row->text, strlen(row->text) };

		WANT_NUMBER(row->text, quota_read_size(&size), row->want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_replies),      UNIT_TEST(test_any_cut_means_more),
		UNIT_TEST(test_the_rest_is_told), UNIT_TEST(test_length_limit),
		UNIT_TEST(test_the_request),  UNIT_TEST(test_names),
		UNIT_TEST(test_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
