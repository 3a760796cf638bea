/* SPDX-License-Identifier: MIT */
/*
 * Netstrings. Specification: for a length n that is allowed, the bytes begin with n in
 * decimal, a colon, n bytes and a comma; what may still become that wants more bytes; all
 * else is bad.
 */
#include <stdio.h>
#include <string.h>

#include "postfix-policy/protocol/netstring.h"
#include "tests/exhaustive/exhaustive.h"

enum { LONGEST = 119 };	/* bytes of data, of the lengths allowed */

/* The decimal number and the colon, for each length. */
static struct head {
	char text[8];
	size_t len;
} heads[LONGEST + 1];

struct parsed {
	enum parse_result result;
	size_t data_at, len, wire_len;
};

static struct parsed specified(const char *bytes, size_t len, size_t max_len)
{
	struct parsed more = { PARSE_MORE, 0, 0, 0 }, bad = { PARSE_BAD, 0, 0, 0 };
	struct parsed parsed = bad;

	for (size_t n = 0; n <= max_len; n++) {
		size_t head_len = heads[n].len;

		if (memcmp(bytes, heads[n].text, len < head_len ? len : head_len) != 0)
			continue;
		if (len < head_len + n + 1)
			parsed = more;
		else
			parsed = bytes[head_len + n] != ','
					 ? bad
					 : (struct parsed){ PARSE_DONE, head_len, n,
							    head_len + n + 1 };
		break;
	}
	return parsed;
}

static void compare(const char *bytes, size_t len, void *arg)
{
	static const size_t maxima[] = { 0, 1, 5, 9, 10, LONGEST };

	(void)arg;
	for (size_t i = 0; i < sizeof(maxima) / sizeof(maxima[0]); i++) {
		struct parsed want = specified(bytes, len, maxima[i]);
		struct netstring got = { NULL, 0, 0 };
		enum parse_result result = netstring_parse(bytes, len, maxima[i], &got);

		if (result != want.result ||
		    (result == PARSE_DONE && (got.data != bytes + want.data_at ||
					      got.len != want.len || got.wire_len != want.wire_len)))
			differ(bytes, len, "at most %zu bytes: %d, specified %d", maxima[i], result,
			       want.result);
	}
}

int main(int argc, char **argv)
{
	static const struct letter letters[] = { LETTER("0"), LETTER("1"), LETTER("9"),
						 LETTER(":"), LETTER(","), LETTER("a") };

	for (size_t n = 0; n <= LONGEST; n++)
		heads[n].len = (size_t)snprintf(heads[n].text, sizeof(heads[n].text), "%zu:", n);
	each_string(LETTERS(letters), letters_max(argc, argv, 7, 9), compare, NULL);
	return exhaustive_end("netstring");
}
