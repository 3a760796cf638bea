/* SPDX-License-Identifier: MIT */
#include "postfix-policy/protocol/policy.h"

#include <assert.h>
#include <string.h>

bool slice_is(const struct slice *slice, const char *text)
{
	return strlen(text) == slice->len &&
	       (slice->len == 0 || memcmp(slice->data, text, slice->len) == 0);
}

/*
 * Where an attribute of that name belongs; NULL if we do not need it. A switch and no
 * table: the length alone rules out most of the thirty names of Postfix, and the
 * compiler compares the others word by word.
 */
static struct slice *member(struct policy_request *request, const struct slice *name)
{
#define IS(NAME) (memcmp(name->data, NAME, sizeof(NAME) - 1) == 0)
#define MEMBER(NAME) (IS(#NAME) ? &request->NAME : NULL)
	switch (name->len) {
	case 4:
		return MEMBER(size);
	case 6:
		return MEMBER(sender);
	case 7:
		return MEMBER(request);
	case 8:
		return MEMBER(queue_id);
	case 9:
		return MEMBER(recipient);
	case 11:
		return MEMBER(client_name);
	case 13:
		return IS("sasl_username") ? &request->login : NULL;
	case 14:
		if (IS("protocol_state"))
			return &request->state;
		return IS("policy_context") ? &request->context : MEMBER(client_address);
	case 15:
		return MEMBER(recipient_count);
	default:
		return NULL;
	}
#undef MEMBER
#undef IS
}

/* An attribute is "name=value"; the value may hold further '='. */
enum line { LINE_IS_ATTRIBUTE, LINE_IS_EMPTY, LINE_IS_BAD, LINE_IS_CUT };

/* *at moves behind a whole line. */
static inline enum line next_line(const char **at, const char *end, struct slice *name_r,
				  struct slice *value_r)
{
	const char *line = *at, *newline = memchr(line, '\n', (size_t)(end - line)), *equals;

	if (newline == NULL)
		return LINE_IS_CUT;
	*at = newline + 1;
	if (newline == line)
		return LINE_IS_EMPTY;
	equals = memchr(line, '=', (size_t)(newline - line));
	if (equals == NULL)
		return LINE_IS_BAD;
	*name_r = (struct slice){ line, (size_t)(equals - line) };
	*value_r = (struct slice){ equals + 1, (size_t)(newline - equals) - 1 };
	return LINE_IS_ATTRIBUTE;
}

/* Whole lines hold no NUL. */
static bool is_text(const char *bytes, const char *end)
{
	return end == bytes || memchr(bytes, '\0', (size_t)(end - bytes)) == NULL;
}

enum parse_result policy_parse(const char *bytes, size_t len,
			       struct policy_request *out, size_t *wire_len_r)
{
	const char *at = bytes, *end = bytes + len;
	struct policy_request request;
	struct slice name, value, *kept;
	enum line line;

	memset(&request, 0, sizeof(request));
	while ((line = next_line(&at, end, &name, &value)) == LINE_IS_ATTRIBUTE) {
		kept = member(&request, &name);
		if (kept != NULL)
			*kept = value;
	}
	if (line == LINE_IS_BAD || !is_text(bytes, at))
		return PARSE_BAD;
	if (line == LINE_IS_CUT)
		return len >= POLICY_REQUEST_MAX ? PARSE_BAD : PARSE_MORE;
	if (!slice_is(&request.request, "smtpd_access_policy"))
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
	enum line line;

	while ((line = next_line(&at, end, &name, &value)) == LINE_IS_ATTRIBUTE) {
		if (slice_is(&name, "action"))
			action = value;
	}
	if (line == LINE_IS_BAD || !is_text(bytes, at))
		return PARSE_BAD;
	if (line == LINE_IS_CUT)
		return PARSE_MORE;
	if (action.data == NULL)
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
