/* SPDX-License-Identifier: MIT */
#include "postfix-policy/policy.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

bool slice_is(const struct slice *slice, const char *text)
{
	return strlen(text) == slice->len &&
	       (slice->len == 0 || memcmp(slice->data, text, slice->len) == 0);
}

struct attribute {
	const char *name;
	size_t offset;	/* of its slice in struct policy_request */
};

static const struct attribute attributes[] = {
	{ "protocol_state", offsetof(struct policy_request, state) },
	{ "policy_context", offsetof(struct policy_request, context) },
	{ "sender", offsetof(struct policy_request, sender) },
	{ "recipient", offsetof(struct policy_request, recipient) },
	{ "sasl_username", offsetof(struct policy_request, login) },
	{ "client_name", offsetof(struct policy_request, client_name) },
	{ "client_address", offsetof(struct policy_request, client_address) },
	{ "queue_id", offsetof(struct policy_request, queue_id) },
};

static void keep_attribute(struct policy_request *request, const struct slice *name,
			   const struct slice *value)
{
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		if (slice_is(name, attributes[i].name))
			*(struct slice *)((char *)request + attributes[i].offset) = *value;
	}
}

/* "name=value"; values may hold further '='. */
static bool read_line(struct policy_request *request, const char *line, size_t len,
		      bool *is_policy)
{
	const char *equals = memchr(line, '=', len);
	struct slice name, value;

	if (equals == NULL || memchr(line, '\0', len) != NULL)
		return false;
	name = (struct slice){ line, (size_t)(equals - line) };
	value = (struct slice){ equals + 1, len - name.len - 1 };
	if (slice_is(&name, "request") && slice_is(&value, "smtpd_access_policy"))
		*is_policy = true;
	keep_attribute(request, &name, &value);
	return true;
}

enum parse_result policy_parse(const char *bytes, size_t len,
			       struct policy_request *out, size_t *wire_len_r)
{
	const char *at = bytes, *end = bytes + len, *newline;
	struct policy_request request;
	bool is_policy = false;

	memset(&request, 0, sizeof(request));
	while ((newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		if (newline == at) {
			if (!is_policy)
				return PARSE_BAD;
			*out = request;
			*wire_len_r = (size_t)(newline + 1 - bytes);
			return PARSE_DONE;
		}
		if (!read_line(&request, at, (size_t)(newline - at), &is_policy))
			return PARSE_BAD;
		at = newline + 1;
	}
	return len >= POLICY_REQUEST_MAX ? PARSE_BAD : PARSE_MORE;
}

bool policy_wants_recipient(const struct policy_request *request)
{
	return slice_is(&request->state, "RCPT") && !slice_is(&request->context, "sender");
}

bool policy_wants_sender(const struct policy_request *request)
{
	if (slice_is(&request->context, "recipient"))
		return false;
	return slice_is(&request->state, "RCPT") ||
	       (slice_is(&request->state, "MAIL") && slice_is(&request->context, "sender"));
}

void policy_put_action(struct buf *out, const char *action)
{
	assert(*action != '\0');	/* Postfix would take it for "permit" */
	buf_printf(out, "action=%s\n\n", action);
}
