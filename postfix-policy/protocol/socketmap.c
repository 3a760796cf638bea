/* SPDX-License-Identifier: MIT */
#include "postfix-policy/protocol/socketmap.h"

#include <string.h>

#include "common/address-quote.h"
#include "common/rules.h"
#include "common/text.h"

enum { TYPICAL_VALUE = 512 };	/* bytes; most values are shorter */

struct socketmap_map {
	const char *name;
	enum question_kind kind;
	/* Appends the value and returns MUM_FOUND; otherwise appends nothing. */
	enum mum_status (*put_value)(struct buf *value, const struct mum_answer *answer);
	enum reason (*reason)(const struct mum_answer *answer);	/* NULL: refuses nothing */
};

/* ---- values ---- */

static enum mum_status put_domain(struct buf *value, const struct mum_answer *answer)
{
	const char *name;
	enum mum_status status = rule_domain(answer, &name);

	if (status == MUM_FOUND)
		buf_puts(value, name);
	return status;
}

static enum mum_status put_mailbox(struct buf *value, const struct mum_answer *answer)
{
	const struct delivery_row *mailbox;
	enum mum_status status = rule_mailbox(answer, &mailbox);

	if (status == MUM_FOUND)
		buf_puts(value, "1");
	return status;
}

/*
 * Attaches the extension again, as Postfix's propagate_unmatched_extensions
 * (postconf(5)) would. Postfix itself does not, because here it does not search for
 * the address without its extension.
 */
static enum mum_status put_recipients(struct buf *value, const struct mum_answer *answer)
{
	struct arena arena = { NULL };
	struct recipients recipients = { 0 };
	enum mum_status status = rule_recipients(answer, &arena, &recipients);

	if (status == MUM_FOUND && recipients.state == ALIAS_IS_TOO_LONG)
		value->failed = true;
	for (size_t i = 0; status == MUM_FOUND && i < recipients.count; i++) {
		if (i > 0)
			buf_puts(value, ",");
		/* A NUL byte, for which check_value() answers TEMP and says why. */
		if (!address_put_external(value, recipients.addresses[i],
					  recipients.extension))
			buf_put(value, "", 1);
	}
	arena_free(&arena);
	return status;
}

static enum mum_status put_owners(struct buf *value, const struct mum_answer *answer)
{
	struct arena arena = { NULL };
	struct owners owners;
	enum mum_status status = rule_owners(answer, &arena, &owners);

	for (size_t i = 0; status == MUM_FOUND && i < owners.count; i++) {
		if (i > 0)
			buf_puts(value, ",");
		buf_puts(value, owners.logins[i]);
	}
	arena_free(&arena);
	return status;
}

static enum mum_status put_recipient_access(struct buf *value,
					    const struct mum_answer *answer)
{
	struct recipient_ruling ruling;
	enum mum_status status = rule_recipient(answer, &ruling);

	if (status != MUM_FOUND)
		return status;
	if (ruling.verdict == RECIPIENT_UNKNOWN)
		return MUM_NOT_FOUND;
	buf_puts(value, action_for_recipient(ruling.verdict));
	return MUM_FOUND;
}

static enum reason recipient_reason(const struct mum_answer *answer)
{
	struct recipient_ruling ruling;

	return rule_recipient(answer, &ruling) == MUM_FOUND
		       ? reason_for_recipient(ruling.verdict) : REASON_NONE;
}

static enum mum_status put_tls_policy(struct buf *value, const struct mum_answer *answer)
{
	const char *policy, *params;
	enum mum_status status = rule_tls(answer, &policy, &params);

	if (status != MUM_FOUND)
		return status;
	buf_puts(value, policy);
	if (*params != '\0') {
		buf_puts(value, " ");
		buf_puts(value, params);
	}
	return MUM_FOUND;
}

/* The names are those of the files in MUM's manual that admins copy. */
static const struct socketmap_map maps[] = {
	[SOCKETMAP_DOMAINS] = { "domains", MUM_DOMAIN, put_domain, NULL },
	[SOCKETMAP_MAILBOXES] = { "mailboxes", MUM_DELIVERY, put_mailbox, NULL },
	[SOCKETMAP_ALIASES] = { "aliases", MUM_DELIVERY, put_recipients, NULL },
	[SOCKETMAP_SENDERS] = { "sender-login-maps", MUM_OWNERS, put_owners, NULL },
	[SOCKETMAP_ACCESS] = { "recipient-access", MUM_DELIVERY, put_recipient_access,
			       recipient_reason },
	[SOCKETMAP_TLS] = { "tls-policies", MUM_TLS, put_tls_policy, NULL },
};
_Static_assert(sizeof(maps) / sizeof(maps[0]) == SOCKETMAP_MAPS, "a cell for each map");

const char *socketmap_name(const struct socketmap_map *map)
{
	return map->name;
}

enum socketmap_number socketmap_number(const struct socketmap_map *map)
{
	return (enum socketmap_number)(map - maps);
}

const struct socketmap_map *socketmap_by_number(enum socketmap_number number)
{
	return &maps[number];
}

const struct socketmap_map *socketmap_by_name(const char *name, size_t len)
{
	for (size_t i = 0; i < SOCKETMAP_MAPS; i++) {
		if (strlen(maps[i].name) == len && memcmp(maps[i].name, name, len) == 0)
			return &maps[i];
	}
	return NULL;
}

enum question_kind socketmap_question(const struct socketmap_map *map)
{
	return map->kind;
}

/* Is it a value that Postfix would cut, misread or take for an empty result? */
static void check_value(const struct buf *value, struct socketmap_outcome *outcome)
{
	if (value->failed) {
		outcome->fault = "value_too_long";
		outcome->cure = "the value is longer than Postfix takes; give the alias "
				"fewer recipients";
	} else if (value->len == 0) {
		outcome->fault = "value_empty";
		outcome->cure = "the value is empty; fix it in MUM";
	} else if (!text_is_clean(value->data, value->len)) {
		outcome->fault = "value_unclean";
		outcome->cure = "the value holds control characters, invalid UTF-8 or a "
				"domain that is none; fix it in MUM";
	}
	outcome->result = outcome->fault == NULL ? SOCKETMAP_FOUND : SOCKETMAP_BAD_VALUE;
}

struct socketmap_outcome socketmap_put_value(struct buf *value,
					     const struct socketmap_map *map,
					     const struct mum_answer *answer)
{
	struct socketmap_outcome outcome = { .result = SOCKETMAP_TEMPFAIL };

	switch (map->put_value(value, answer)) {
	case MUM_FOUND:
		check_value(value, &outcome);
		if (outcome.result == SOCKETMAP_FOUND && map->reason != NULL)
			outcome.reason = map->reason(answer);
		break;
	case MUM_NOT_FOUND:
		outcome.result = SOCKETMAP_NOT_FOUND;
		break;
	case MUM_TEMPFAIL:
		break;
	case MUM_MISCONFIGURED:
		outcome.result = SOCKETMAP_MISCONFIGURED;
		break;
	}
	return outcome;
}

/* ---- the wire ---- */

enum parse_result socketmap_parse(const char *bytes, size_t len,
				  struct socketmap_request *out, size_t *wire_len_r)
{
	struct netstring frame;
	enum parse_result result =
		netstring_parse(bytes, len, SOCKETMAP_REQUEST_MAX, &frame);
	const char *blank;

	if (result != PARSE_DONE)
		return result;
	blank = memchr(frame.data, ' ', frame.len);
	if (blank == NULL)
		return PARSE_BAD;
	*out = (struct socketmap_request){
		.name = frame.data,
		.name_len = (size_t)(blank - frame.data),
		.key = blank + 1,
		.key_len = frame.len - (size_t)(blank + 1 - frame.data),
	};
	out->map = socketmap_by_name(out->name, out->name_len);
	*wire_len_r = frame.wire_len;
	return PARSE_DONE;
}

struct reply {
	const char *word, *text;
	size_t len;
};

static struct reply reply_of(enum socketmap_result result, const struct buf *value)
{
	static const char trouble[] = "temporary lookup failure";

	switch (result) {
	case SOCKETMAP_FOUND:
		return (struct reply){ "OK", value->data, value->len };
	case SOCKETMAP_NOT_FOUND:
		return (struct reply){ "NOTFOUND", "", 0 };
	case SOCKETMAP_TEMPFAIL:
	case SOCKETMAP_MISCONFIGURED:
	case SOCKETMAP_BAD_VALUE:
	case SOCKETMAP_RESULTS:
		break;
	}
	return (struct reply){ "TEMP", trouble, sizeof(trouble) - 1 };
}

/* A blank follows each word: Postfix reads a bare "OK" as "not found". */
static void put_text(struct buf *out, const struct reply *reply)
{
	buf_puts(out, reply->word);
	buf_puts(out, " ");
	buf_put(out, reply->text, reply->len);
}

static void put_reply(struct buf *out, const struct reply *reply)
{
	buf_put_number(out, strlen(reply->word) + 1 + reply->len);
	buf_puts(out, ":");
	put_text(out, reply);
	buf_puts(out, ",");
}

void socketmap_put_text(struct buf *out, enum socketmap_result result,
			const struct buf *value)
{
	const struct reply reply = reply_of(result, value);

	put_text(out, &reply);
}

void socketmap_put_perm(struct buf *out, const char *why)
{
	const struct reply reply = { "PERM", why, strlen(why) };

	put_reply(out, &reply);
}

struct socketmap_outcome socketmap_put_answer(struct buf *out,
					      const struct socketmap_map *map,
					      const struct mum_answer *answer)
{
	char typical[TYPICAL_VALUE];
	struct buf value = BUF_LENT(typical, SOCKETMAP_VALUE_MAX);
	struct socketmap_outcome outcome = socketmap_put_value(&value, map, answer);
	const struct reply reply = reply_of(outcome.result, &value);

	put_reply(out, &reply);
	buf_free(&value);
	return outcome;
}
