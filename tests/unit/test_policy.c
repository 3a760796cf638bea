/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "common/buf.h"
#include "postfix-policy/protocol/policy.h"

/* As smtpd of Postfix 3.7 sends it. */
static const char real_request[] =
	"request=smtpd_access_policy\n"
	"protocol_state=RCPT\n"
	"protocol_name=ESMTP\n"
	"client_address=127.0.0.1\n"
	"client_name=unknown\n"
	"client_port=43158\n"
	"reverse_client_name=unknown\n"
	"server_address=127.0.0.1\n"
	"server_port=22687\n"
	"helo_name=c.test\n"
	"sender=info@example.test\n"
	"recipient=friend@external.test\n"
	"recipient_count=0\n"
	"queue_id=\n"
	"instance=ab4.6b029879.bbac2.0\n"
	"size=22\n"
	"etrn_domain=\n"
	"stress=\n"
	"sasl_method=PLAIN\n"
	"sasl_username=alice@example.test\n"
	"sasl_sender=\n"
	"ccert_subject=\n"
	"policy_context=sender\n"
	"\n";

#define HEAD "request=smtpd_access_policy\n"

/* Parses a block of exactly len bytes; the slices live until free(*block). */
static enum parse_result parse(const char *wire, size_t len, char **block,
			       struct policy_request *out, size_t *wire_len)
{
	*block = unit_exact(wire, len);
	return policy_parse(*block, len, out, wire_len);
}

static void want_slice(const char *name, const struct slice *got, const char *want)
{
	WANT(name, slice_is(got, want));
}

static void test_a_real_request(void **state)
{
	struct policy_request request;
	size_t len = sizeof(real_request) - 1, wire_len = 0;
	char *block;

	(void)state;
	assert_int_equal(parse(real_request, len, &block, &request, &wire_len), PARSE_DONE);
	want_slice("state", &request.state, "RCPT");
	want_slice("context", &request.context, "sender");
	want_slice("sender", &request.sender, "info@example.test");
	want_slice("recipient", &request.recipient, "friend@external.test");
	want_slice("login", &request.login, "alice@example.test");
	want_slice("client name, not the reverse one", &request.client_name, "unknown");
	want_slice("client address", &request.client_address, "127.0.0.1");
	want_slice("size", &request.size, "22");
	want_slice("empty values", &request.queue_id, "");
	WANT_NUMBER("all of it", wire_len, len);
	free(block);
}

static void test_any_cut_means_more(void **state)
{
	struct policy_request request;
	size_t wire_len;

	(void)state;
	for (size_t cut = 0; cut < sizeof(real_request) - 1; cut++) {
		char *block;

		WANT_NUMBER("a cut", parse(real_request, cut, &block, &request, &wire_len),
			    PARSE_MORE);
		free(block);
	}
}

#define BYTES(literal) (literal), sizeof(literal) - 1

static const struct {
	const char *name, *wire;
	size_t len;
	enum parse_result want;
	const char *sender;
	size_t left;	/* bytes behind the request */
} requests[] = {
	{ "the least", BYTES(HEAD "\n"), PARSE_DONE, "", 0 },
	{ "a sender", BYTES(HEAD "sender=a@b\n\n"), PARSE_DONE, "a@b", 0 },
	{ "values hold equals signs", BYTES(HEAD "sender=a=b=@c\n\n"), PARSE_DONE,
	  "a=b=@c", 0 },
	{ "values hold blanks", BYTES(HEAD "sender=a b =c@d \n\n"), PARSE_DONE,
	  "a b =c@d ", 0 },
	{ "an empty value", BYTES(HEAD "sender=\n\n"), PARSE_DONE, "", 0 },
	{ "an empty name", BYTES(HEAD "=x\nsender=a\n\n"), PARSE_DONE, "a", 0 },
	{ "the last of equal names wins", BYTES(HEAD "sender=a\nsender=b\n\n"),
	  PARSE_DONE, "b", 0 },
	{ "names are exact", BYTES(HEAD "senders=a\nSender=b\nxsender=c\n\n"),
	  PARSE_DONE, "", 0 },
	{ "a name with a blank is another", BYTES(HEAD "sender =a\n\n"), PARSE_DONE,
	  "", 0 },
	{ "the request line may stand last", BYTES("sender=a\n" HEAD "\n"),
	  PARSE_DONE, "a", 0 },
	{ "two requests", BYTES(HEAD "sender=a\n\n" HEAD "sender=b\n\n"), PARSE_DONE,
	  "a", sizeof(HEAD "sender=b\n\n") - 1 },
	{ "raw UTF-8", BYTES(HEAD "sender=j\xc3\xb6rg@x\n\n"), PARSE_DONE,
	  "j\xc3\xb6rg@x", 0 },
	{ "invalid UTF-8 is a value too", BYTES(HEAD "sender=\xff@x\n\n"), PARSE_DONE,
	  "\xff@x", 0 },
	{ "nothing", BYTES(""), PARSE_MORE, NULL, 0 },
	{ "no blank line", BYTES(HEAD "sender=a\n"), PARSE_MORE, NULL, 0 },
	{ "half a line", BYTES(HEAD "send"), PARSE_MORE, NULL, 0 },
	{ "only a blank line", BYTES("\n"), PARSE_BAD, NULL, 0 },
	{ "no request attribute", BYTES("sender=a\n\n"), PARSE_BAD, NULL, 0 },
	{ "another request", BYTES("request=junk\nsender=a\n\n"), PARSE_BAD, NULL, 0 },
	{ "a request with a tail", BYTES("request=smtpd_access_policy2\n\n"),
	  PARSE_BAD, NULL, 0 },
	{ "a line without an equals sign", BYTES(HEAD "sender\n\n"), PARSE_BAD, NULL,
	  0 },
	{ "CRLF", BYTES("request=smtpd_access_policy\r\n\r\n"), PARSE_BAD, NULL, 0 },
	{ "NUL in a value", BYTES(HEAD "sender=a\0b\n\n"), PARSE_BAD, NULL, 0 },
	{ "NUL in a name", BYTES(HEAD "sen\0der=a\n\n"), PARSE_BAD, NULL, 0 },
	{ "NUL in a value of no interest", BYTES(HEAD "stress=\0\n\n"), PARSE_BAD,
	  NULL, 0 },
	{ "another protocol", BYTES("GET / HTTP/1.1\n"), PARSE_BAD, NULL, 0 },
	{ "a netstring", BYTES("13:aliases a@b.c,\n"), PARSE_BAD, NULL, 0 },
};

static void test_table(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, requests) {
		struct policy_request request;
		size_t wire_len = 0;
		char *block;
		enum parse_result got =
			parse(row->wire, row->len, &block, &request, &wire_len);

		WANT_NUMBER(row->name, got, row->want);
		if (got == PARSE_DONE && row->want == PARSE_DONE) {
			want_slice(row->name, &request.sender, row->sender);
			WANT_NUMBER(row->name, wire_len, row->len - row->left);
		}
		free(block);
	}
}

static void test_a_thousand_attributes(void **state)
{
	struct buf wire = BUF_INIT(POLICY_REQUEST_MAX);
	struct policy_request request;
	size_t wire_len = 0;
	char *block;

	(void)state;
	buf_puts(&wire, HEAD);
	for (int i = 0; i < 1000; i++)
		buf_printf(&wire, "attribute_%d=value=%d\n", i, i);
	buf_puts(&wire, "sender=a@b\n\n");
	WANT("done", parse(wire.data, wire.len, &block, &request, &wire_len) == PARSE_DONE);
	want_slice("the one that counts", &request.sender, "a@b");
	WANT_NUMBER("all of it", wire_len, wire.len);
	free(block);
	buf_free(&wire);
}

static void test_size_limit(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		bool complete;
		enum parse_result want;
	} rows[] = {
		{ "one below, complete", POLICY_REQUEST_MAX - 1, true, PARSE_DONE },
		{ "at the limit, complete", POLICY_REQUEST_MAX, true, PARSE_DONE },
		{ "one below, no end yet", POLICY_REQUEST_MAX - 1, false, PARSE_MORE },
		{ "at the limit, no end", POLICY_REQUEST_MAX, false, PARSE_BAD },
		{ "above the limit, no end", POLICY_REQUEST_MAX + 1, false, PARSE_BAD },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char *wire = malloc(row->len), *block;
		struct policy_request request;
		size_t wire_len;

		memset(wire, 'x', row->len);
		memcpy(wire, HEAD "stress=", sizeof(HEAD "stress=") - 1);
		if (row->complete)
			memcpy(wire + row->len - 2, "\n\n", 2);
		WANT_NUMBER(row->name, parse(wire, row->len, &block, &request, &wire_len),
			    row->want);
		free(block);
		free(wire);
	}
}

static void test_which_checks(void **state)
{
	static const struct {
		const char *state, *context;
		bool recipient, sender;
	} rows[] = {
		{ "RCPT", "", true, true },
		{ "RCPT", "recipient", true, false },
		{ "RCPT", "sender", false, true },
		{ "RCPT", "other", true, true },
		{ "RCPT", "limit", false, false },
		{ "MAIL", "", false, false },
		{ "MAIL", "recipient", false, false },
		{ "MAIL", "sender", false, true },
		{ "MAIL", "limit", false, false },
		{ "CONNECT", "", false, false },
		{ "CONNECT", "sender", false, false },
		{ "EHLO", "", false, false },
		{ "HELO", "sender", false, false },
		{ "DATA", "", false, false },
		{ "DATA", "recipient", false, false },
		{ "DATA", "sender", false, false },
		{ "DATA", "limit", false, false },
		{ "END-OF-MESSAGE", "", false, false },
		{ "VRFY", "", false, false },
		{ "ETRN", "sender", false, false },
		{ "", "", false, false },
		{ "", "sender", false, false },
		{ "rcpt", "", false, false },
		{ "RCPTX", "", false, false },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct policy_request request = {
			.state = { row->state, strlen(row->state) },
			.context = { row->context, strlen(row->context) },
		};
		char name[64];

		snprintf(name, sizeof(name), "state <%s>, context <%s>", row->state,
			 row->context);
		WANT(name, policy_wants_recipient(&request) == row->recipient);
		WANT(name, policy_wants_sender(&request) == row->sender);
	}
}

static void test_nothing_sent_wants_nothing(void **state)
{
	struct policy_request request;
	size_t wire_len;
	char *block;

	(void)state;
	assert_int_equal(parse(HEAD "\n", sizeof(HEAD "\n") - 1, &block, &request,
			       &wire_len), PARSE_DONE);
	WANT("no checks", !policy_wants_recipient(&request) && !policy_wants_sender(&request));
	want_slice("no recipient", &request.recipient, "");
	want_slice("no login", &request.login, "");
	free(block);
}

static void test_slices(void **state)
{
	const struct slice none = { NULL, 0 }, text = { "abc", 2 };

	(void)state;
	WANT("nothing is the empty text", slice_is(&none, ""));
	WANT("nothing is no text", !slice_is(&none, "a"));
	WANT("as long as it says", slice_is(&text, "ab"));
	WANT("not longer", !slice_is(&text, "abc"));
	WANT("not shorter", !slice_is(&text, "a"));
}

static void test_reply(void **state)
{
	struct buf out = BUF_INIT(1000);
	char *got;

	(void)state;
	policy_put_action(&out, "DUNNO");
	policy_put_action(&out, "550 5.2.1 no");
	got = buf_steal(&out);
	WANT_TEXT("an attribute and a blank line each", got,
		  "action=DUNNO\n\naction=550 5.2.1 no\n\n");
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_a_real_request),
		UNIT_TEST(test_any_cut_means_more),
		UNIT_TEST(test_table),
		UNIT_TEST(test_a_thousand_attributes),
		UNIT_TEST(test_size_limit),
		UNIT_TEST(test_which_checks),
		UNIT_TEST(test_nothing_sent_wants_nothing),
		UNIT_TEST(test_slices),
		UNIT_TEST(test_reply),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
