/* SPDX-License-Identifier: MIT */
#include "postfix-policy/protocol/quota-status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

bool quota_can_ask(const char *mailbox)
{
	size_t len = strlen(mailbox);

	if (len == 0 || len > QUOTA_MAILBOX_MAX)
		return false;
	for (; *mailbox != '\0'; mailbox++) {
		if (*mailbox <= ' ' || *mailbox >= 0x7f || *mailbox == '"')
			return false;
	}
	return true;
}

void quota_put_probe(char name[QUOTA_MAILBOX_MAX], uint64_t now, uint64_t number)
{
	snprintf(name, QUOTA_MAILBOX_MAX, "mumd-probe-%" PRIu64 "-%" PRIu64 "@quota.invalid",
		 now, number);
}

void quota_put_request(struct buf *out, const char *mailbox, uint64_t size)
{
	buf_printf(out,
		   "request=smtpd_access_policy\nprotocol_state=RCPT\nrecipient=%s\n"
		   "size=%" PRIu64 "\n\n",
		   mailbox, size);
}

uint64_t quota_read_size(const struct slice *size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size->len; i++) {
		unsigned digit = (unsigned)((unsigned char)size->data[i] - '0');

		if (digit > 9 || value > (UINT64_MAX - digit) / 10)
			return 0;
		value = value * 10 + digit;
	}
	return value;
}

/* In a pattern 'c' is the class of a refusal, '#' any digit, 'f' the digit of a full mailbox. */
static bool matches(char pattern, char byte)
{
	switch (pattern) {
	case 'c':
		return byte == '4' || byte == '5';
	case '#':
		return byte >= '0' && byte <= '9';
	case 'f':
		return byte == '2' || byte == '3';
	default:
		return byte == pattern;
	}
}

/*
 * "452 4.2.2" and its like, whatever text follows: X.2.2 is a full mailbox, X.2.3 a mail
 * that is too large for it (RFC 3463 section 3.3).
 */
static bool is_full(const struct slice *action)
{
	static const char pattern[] = "c## c.2.f";
	const size_t len = sizeof(pattern) - 1;

	for (size_t i = 0; i < len; i++) {
		if (i == action->len || !matches(pattern[i], action->data[i]))
			return false;
	}
	return action->len == len || action->data[len] == ' ';
}

static bool starts_with(const struct slice *action, const char *word)
{
	size_t len = strlen(word);

	return action->len >= len && strncasecmp(action->data, word, len) == 0;
}

static enum quota_answer read_action(const struct slice *action)
{
	if (is_full(action))
		return QUOTA_FULL;
	/* DEFER_IF_PERMIT, too. */
	if (starts_with(action, "DEFER"))
		return QUOTA_TROUBLE;
	return starts_with(action, "OK") || starts_with(action, "DUNNO") ? QUOTA_ROOM
									 : QUOTA_UNKNOWN;
}

enum parse_result quota_parse_reply(const char *bytes, size_t len,
				    enum quota_answer *answer_r, struct slice *text_r,
				    size_t *wire_len_r)
{
	enum parse_result result = policy_parse_reply(bytes, len, text_r, wire_len_r);

	if (result == PARSE_MORE && len >= QUOTA_REPLY_MAX)
		return PARSE_BAD;
	if (result == PARSE_DONE)
		*answer_r = read_action(text_r);
	return result;
}
