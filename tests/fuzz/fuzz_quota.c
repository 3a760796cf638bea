/* SPDX-License-Identifier: MIT */
/* Answers of Dovecot's quota-status. */
#include "postfix-policy/protocol/quota-status.h"

#include <string.h>

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	enum quota_answer answer, again;
	struct slice text, same;
	size_t len = 0, again_len = 0;

	if (quota_parse_reply(bytes, size, &answer, &text, &len) != PARSE_DONE)
		return 0;
	fuzz_reached();
	HOLDS(len > 0 && len <= size && bytes[len - 1] == '\n');
	HOLDS(text.data > bytes && text.data + text.len < bytes + len);
	HOLDS(text.data[-1] == '=' && text.data[text.len] == '\n');
	HOLDS(memchr(text.data, '\0', text.len) == NULL);
	/* Nothing but a refusal may refuse mail. */
	if (answer == QUOTA_FULL)
		HOLDS(text.len >= 9 && (text.data[0] == '4' || text.data[0] == '5'));
	HOLDS(answer != QUOTA_NO_ANSWER);
	/* Its own bytes are enough, any fewer are not. */
	HOLDS(quota_parse_reply(bytes, len, &again, &same, &again_len) == PARSE_DONE);
	HOLDS(again_len == len && again == answer && same.data == text.data);
	if (len <= QUOTA_REPLY_MAX)
		HOLDS(quota_parse_reply(bytes, len - 1, &again, &same, &again_len) == PARSE_MORE);
	return 0;
}
