/* SPDX-License-Identifier: MIT */
/*
 * Policy requests and replies. Specification: lines end with a newline, the first empty
 * one ends the request; each line before it has a '=' and no NUL; one of them is
 * "request=smtpd_access_policy"; of a name that comes twice the last line counts.
 */
#include <stdlib.h>
#include <string.h>

#include "postfix-policy/protocol/policy.h"
#include "tests/exhaustive/exhaustive.h"

struct lines {
	enum parse_result result;	/* PARSE_DONE: they are whole */
	size_t len;			/* up to the empty line, and with it */
};

/* Byte by byte, as a machine with two states of a line. */
static struct lines specified_lines(const char *bytes, size_t len)
{
	bool empty = true, equals = false, nul = false;

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n' && empty)
			return (struct lines){ PARSE_DONE, i + 1 };
		if (bytes[i] == '\n' && (!equals || nul))
			return (struct lines){ PARSE_BAD, 0 };
		empty = bytes[i] == '\n';
		equals = !empty && (equals || bytes[i] == '=');
		nul = !empty && (nul || bytes[i] == '\0');
	}
	return (struct lines){ PARSE_MORE, 0 };
}

/* The value of the last line "name=...", looking from the end. */
static bool specified_value(const char *bytes, size_t len, const char *name, const char *value,
			    struct slice *value_r)
{
	char start[64] = "\n";
	size_t start_len;

	strcat(strcat(start, name), "=");
	start_len = strlen(start);
	for (size_t at = len; at-- > 0;) {
		bool first = at == 0 && len >= start_len - 1 &&
			     memcmp(bytes, start + 1, start_len - 1) == 0;
		size_t from = at + (first ? start_len - 1 : start_len);
		const char *end;

		if (!first && (len - at < start_len || memcmp(bytes + at, start, start_len) != 0))
			continue;
		end = memchr(bytes + from, '\n', len - from);
		*value_r = (struct slice){ bytes + from, (size_t)(end - bytes) - from };
		if (value == NULL || slice_is(value_r, value))
			return true;
	}
	*value_r = (struct slice){ NULL, 0 };
	return false;
}

static bool same_slice(const struct slice *one, const struct slice *other)
{
	return one->len == other->len && one->data == other->data;
}

static void compare_request(const char *bytes, size_t len, void *arg)
{
	struct lines want = specified_lines(bytes, len);
	struct policy_request request;
	struct slice value;
	size_t wire_len = 0;
	enum parse_result result = policy_parse(bytes, len, &request, &wire_len);

	(void)arg;
	if (want.result == PARSE_DONE &&
	    !specified_value(bytes, want.len, "request", "smtpd_access_policy", &value))
		want.result = PARSE_BAD;
	if (result != want.result) {
		differ(bytes, len, "request: %d, specified %d", result, want.result);
		return;
	}
	if (result != PARSE_DONE)
		return;
	specified_value(bytes, want.len, "sender", NULL, &value);
	if (wire_len != want.len || !same_slice(&request.sender, &value))
		differ(bytes, len, "request: another sender or length");
	specified_value(bytes, want.len, "size", NULL, &value);
	if (!same_slice(&request.size, &value))
		differ(bytes, len, "request: another size");
	if (request.recipient.len != 0)
		differ(bytes, len, "request: a recipient that nobody sent");
}

static void compare_reply(const char *bytes, size_t len, void *arg)
{
	struct lines want = specified_lines(bytes, len);
	struct slice value = { NULL, 0 }, action;
	size_t wire_len = 0;
	enum parse_result result = policy_parse_reply(bytes, len, &action, &wire_len);

	(void)arg;
	if (want.result == PARSE_DONE && !specified_value(bytes, want.len, "action", NULL, &value))
		want.result = PARSE_BAD;
	if (result != want.result ||
	    (result == PARSE_DONE && (wire_len != want.len || !same_slice(&action, &value))))
		differ(bytes, len, "reply: %d, specified %d", result, want.result);
}

int main(int argc, char **argv)
{
	static const struct letter words[] = {
		LETTER("request=smtpd_access_policy\n"), LETTER("sender="), LETTER("size"),
		LETTER("="), LETTER("\n"), LETTER("\0"), LETTER("x"),
	};
	static const struct letter reply[] = { LETTER("action"), LETTER("="), LETTER("\n"),
					       LETTER("\0"), LETTER("x") };
	unsigned max = letters_max(argc, argv, 7, 8);

	each_string(LETTERS(words), max, compare_request, NULL);
	each_string(LETTERS(reply), max + 1, compare_reply, NULL);
	return exhaustive_end("policy");
}
