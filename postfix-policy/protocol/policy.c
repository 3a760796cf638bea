/* SPDX-License-Identifier: MIT */
#include "postfix-policy/protocol/policy.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

bool slice_is(const struct slice *slice, const char *text)
{
	return strlen(text) == slice->len &&
	       (slice->len == 0 || memcmp(slice->data, text, slice->len) == 0);
}

#define ATTRIBUTE(NAME, MEMBER) { NAME, sizeof(NAME) - 1, offsetof(struct policy_request, MEMBER) }

/* Postfix sends about thirty attributes; the length alone rules out most of them. */
static const struct {
	const char *name;
	size_t len;
	size_t offset;	/* of the slice in struct policy_request */
} attributes[] = {
	ATTRIBUTE("protocol_state", state),
	ATTRIBUTE("policy_context", context),
	ATTRIBUTE("sender", sender),
	ATTRIBUTE("recipient", recipient),
	ATTRIBUTE("sasl_username", login),
	ATTRIBUTE("size", size),
	ATTRIBUTE("client_name", client_name),
	ATTRIBUTE("client_address", client_address),
	ATTRIBUTE("queue_id", queue_id),
	ATTRIBUTE("recipient_count", recipient_count),
};

static void keep_attribute(struct policy_request *request, const struct slice *name,
			   const struct slice *value)
{
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		if (name->len == attributes[i].len &&
		    memcmp(name->data, attributes[i].name, name->len) == 0)
			*(struct slice *)((char *)request + attributes[i].offset) = *value;
	}
}

/* Splits "name=value"; the value may hold further '='. */
static bool split_line(const char *line, size_t len, struct slice *name_r,
		       struct slice *value_r)
{
	const char *equals = memchr(line, '=', len);

	if (equals == NULL || memchr(line, '\0', len) != NULL)
		return false;
	*name_r = (struct slice){ line, (size_t)(equals - line) };
	*value_r = (struct slice){ equals + 1, len - name_r->len - 1 };
	return true;
}

/*
 * The next line of attributes. DONE: the empty line that ends them, and *at is behind it;
 * MORE: name and value, and *at is behind them, or at the end where no line is whole.
 */
static enum parse_result next_line(const char **at, const char *end, struct slice *name_r,
				   struct slice *value_r)
{
	const char *line = *at, *newline = memchr(line, '\n', (size_t)(end - line));

	*at = newline != NULL ? newline + 1 : end;
	name_r->data = NULL;
	if (newline == NULL)
		return PARSE_MORE;
	if (newline == line)
		return PARSE_DONE;
	return split_line(line, (size_t)(newline - line), name_r, value_r) ? PARSE_MORE
									   : PARSE_BAD;
}

enum parse_result policy_parse(const char *bytes, size_t len,
			       struct policy_request *out, size_t *wire_len_r)
{
	const char *at = bytes, *end = bytes + len;
	struct policy_request request;
	struct slice name, value;
	enum parse_result result;
	bool is_policy = false;

	memset(&request, 0, sizeof(request));
	while ((result = next_line(&at, end, &name, &value)) == PARSE_MORE) {
		if (name.data == NULL)
			return len >= POLICY_REQUEST_MAX ? PARSE_BAD : PARSE_MORE;
		if (slice_is(&name, "request") && slice_is(&value, "smtpd_access_policy"))
			is_policy = true;
		keep_attribute(&request, &name, &value);
	}
	if (result == PARSE_BAD || !is_policy)
		return PARSE_BAD;
	*out = request;
	*wire_len_r = (size_t)(at - bytes);
	return PARSE_DONE;
}

enum parse_result policy_parse_reply(const char *bytes, size_t len, struct slice *action_r,
				     size_t *wire_len_r)
{
	const char *at = bytes, *end = bytes + len;
	struct slice name, value, action = { NULL, 0 };
	enum parse_result result;

	while ((result = next_line(&at, end, &name, &value)) == PARSE_MORE) {
		if (name.data == NULL)
			return PARSE_MORE;
		if (slice_is(&name, "action"))
			action = value;
	}
	if (result == PARSE_BAD || action.data == NULL)
		return PARSE_BAD;
	*action_r = action;
	*wire_len_r = (size_t)(at - bytes);
	return PARSE_DONE;
}

bool policy_wants_recipient(const struct policy_request *request)
{
	return slice_is(&request->state, "RCPT") && !slice_is(&request->context, "sender") &&
	       !slice_is(&request->context, "limit");
}

bool policy_wants_sender(const struct policy_request *request)
{
	if (slice_is(&request->context, "recipient") || slice_is(&request->context, "limit"))
		return false;
	return slice_is(&request->state, "RCPT") ||
	       (slice_is(&request->state, "MAIL") && slice_is(&request->context, "sender"));
}

enum policy_send policy_wants_send(const struct policy_request *request)
{
	bool limit = slice_is(&request->context, "limit") || slice_is(&request->context, "");

	if (request->login.len == 0)
		return POLICY_SEND_NOTHING;
	/* Postfix says DATA for BDAT, too. */
	if (slice_is(&request->state, "DATA") && limit)
		return POLICY_SEND_TAKE;
	if (slice_is(&request->state, "RCPT") && (limit || slice_is(&request->context, "sender")))
		return POLICY_SEND_PEEK;
	return POLICY_SEND_NOTHING;
}

void policy_put_action(struct buf *out, const char *action)
{
	assert(*action != '\0');	/* Postfix would take "" for "permit" */
	buf_puts(out, "action=");
	buf_puts(out, action);
	buf_puts(out, "\n\n");
}
