/* SPDX-License-Identifier: MIT */
/* Answers of Dovecot's quota-status, and what it is asked. */
#include "postfix-policy/protocol/quota-status.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

/* A request has the name and the size that it was made of, and nothing else. */
static void check_request(const char *name, uint64_t size)
{
	struct buf out = BUF_INIT(4096);
	struct policy_request request;
	size_t len = 0;

	quota_put_request(&out, name, size);
	HOLDS(!out.failed && policy_parse(out.data, out.len, &request, &len) == PARSE_DONE);
	HOLDS(len == out.len && slice_is(&request.recipient, name));
	HOLDS(slice_is(&request.state, "RCPT") && quota_read_size(&request.size) == size);
	HOLDS(request.sender.len == 0 && request.login.len == 0 && request.context.len == 0);
	buf_free(&out);
}

/* A number is read as it is written, or not at all. */
static uint64_t check_size(const char *bytes, size_t size)
{
	const struct slice slice = { bytes, size };
	uint64_t number = quota_read_size(&slice);
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	while (size > 0 && *bytes == '0') {
		bytes++;
		size--;
	}
	HOLDS(number == 0 || (strlen(text) == size && memcmp(text, bytes, size) == 0));
	return number;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	char *name = strndup(bytes, size);
	enum quota_answer answer, again;
	struct slice text, same;
	size_t len = 0, again_len = 0;

	if (quota_can_ask(name))
		check_request(name, check_size(bytes, size));
	free(name);
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
