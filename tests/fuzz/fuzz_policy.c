/* SPDX-License-Identifier: MIT */
/* Requests of policy clients, and replies of a policy service. */
#include "postfix-policy/protocol/policy.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

static void check_slice(const struct slice *slice, const char *bytes, size_t len)
{
	if (slice->len == 0)
		return;
	HOLDS(slice->data > bytes && slice->data + slice->len < bytes + len);
	HOLDS(memchr(slice->data, '\n', slice->len) == NULL);
	HOLDS(memchr(slice->data, '\0', slice->len) == NULL);
	HOLDS(slice->data[-1] == '=' && slice->data[slice->len] == '\n');
}

/* A line without its end comes back as the action of a reply. */
static void check_action(const char *bytes, size_t size)
{
	struct buf out = BUF_INIT(1 << 20);
	char *action = strndup(bytes, size);
	struct slice text;
	size_t len = 0;

	action[strcspn(action, "\n")] = '\0';
	if (*action != '\0') {
		policy_put_action(&out, action);
		HOLDS(policy_parse_reply(out.data, out.len, &text, &len) == PARSE_DONE);
		HOLDS(len == out.len && slice_is(&text, action));
	}
	buf_free(&out);
	free(action);
}

static void check_reply(const char *bytes, size_t size)
{
	struct slice action, again;
	size_t len = 0, again_len = 0;

	if (policy_parse_reply(bytes, size, &action, &len) != PARSE_DONE)
		return;
	HOLDS(len > 0 && len <= size && bytes[len - 1] == '\n');
	check_slice(&action, bytes, len);
	HOLDS(policy_parse_reply(bytes, len - 1, &again, &again_len) == PARSE_MORE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct policy_request request, again;
	size_t len = 0, again_len = 0;

	check_action(bytes, size);
	check_reply(bytes, size);
	if (policy_parse(bytes, size, &request, &len) != PARSE_DONE)
		return 0;
	fuzz_reached();
	HOLDS(len > 0 && len <= size && bytes[len - 1] == '\n');
	check_slice(&request.state, bytes, len);
	check_slice(&request.context, bytes, len);
	check_slice(&request.sender, bytes, len);
	check_slice(&request.recipient, bytes, len);
	check_slice(&request.login, bytes, len);
	check_slice(&request.client_name, bytes, len);
	check_slice(&request.client_address, bytes, len);
	check_slice(&request.queue_id, bytes, len);
	check_slice(&request.recipient_count, bytes, len);
	check_slice(&request.size, bytes, len);
	/* Its own bytes are enough, any fewer are not. */
	HOLDS(policy_parse(bytes, len, &again, &again_len) == PARSE_DONE);
	HOLDS(again_len == len && memcmp(&again, &request, sizeof(again)) == 0);
	HOLDS(policy_parse(bytes, len - 1, &again, &again_len) == PARSE_MORE);
	HOLDS(policy_parse(bytes, len / 2, &again, &again_len) == PARSE_MORE);
	/* A check needs a state that sets it off. */
	if (policy_wants_recipient(&request))
		HOLDS(slice_is(&request.state, "RCPT"));
	if (policy_wants_sender(&request))
		HOLDS(slice_is(&request.state, "RCPT") || slice_is(&request.state, "MAIL"));
	if (policy_wants_send(&request) != POLICY_SEND_NOTHING)
		HOLDS(request.login.len > 0);
	return 0;
}
