/* SPDX-License-Identifier: MIT */
#include "postfix-policy/socketmap.h"

#include <string.h>

#include "common/lookup.h"
#include "common/rules.h"
#include "postfix-policy/action.h"

struct socketmap_map {
	const char *name;
	unsigned questions;
	/* MUM_FOUND appends the value; nothing else is appended otherwise. */
	enum mum_status (*put_value)(struct buf *value, const struct mum_answer *answer);
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

/* Since Postfix searches no stripped address here, it re-attaches no extension. */
static enum mum_status put_recipients(struct buf *value, const struct mum_answer *answer)
{
	struct arena arena = { NULL };
	struct recipients recipients;
	enum mum_status status = rule_recipients(answer, &arena, &recipients);

	for (size_t i = 0; status == MUM_FOUND && i < recipients.count; i++) {
		if (i > 0)
			buf_puts(value, ",");
		/* An unprintable byte: check_value() then says TEMP and why. */
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
	enum recipient_verdict verdict;
	enum mum_status status = rule_recipient(answer, &verdict);

	if (status != MUM_FOUND)
		return status;
	if (verdict == RECIPIENT_UNKNOWN)
		return MUM_NOT_FOUND;
	buf_puts(value, action_for_recipient(verdict));
	return MUM_FOUND;
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

/* The names are those of the files that MUM's manual has admins copy. */
static const struct socketmap_map maps[] = {
	{ "domains", MUM_ASK(MUM_DOMAIN), put_domain },
	{ "mailboxes", MUM_ASK(MUM_DELIVERY), put_mailbox },
	{ "aliases", MUM_ASK(MUM_DELIVERY), put_recipients },
	{ "sender-login-maps", MUM_ASK(MUM_OWNERS), put_owners },
	{ "recipient-access", MUM_ASK(MUM_DELIVERY), put_recipient_access },
	{ "tls-policies", MUM_ASK(MUM_TLS), put_tls_policy },
};

/* ---- the wire ---- */

static const struct socketmap_map *find_map(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		if (strlen(maps[i].name) == len && memcmp(maps[i].name, name, len) == 0)
			return &maps[i];
	}
	return NULL;
}

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
	out->map = find_map(out->name, out->name_len);
	*wire_len_r = frame.wire_len;
	return PARSE_DONE;
}

const char *socketmap_name(const struct socketmap_map *map)
{
	return map->name;
}

unsigned socketmap_questions(const struct socketmap_map *map)
{
	return map->questions;
}

static void put_reply(struct buf *out, const char *word, const char *text, size_t len)
{
	/* The blank is part of each: a bare "OK" is read as "not found". */
	buf_printf(out, "%zu:%s ", strlen(word) + 1 + len, word);
	buf_put(out, text, len);
	buf_puts(out, ",");
}

void socketmap_put_perm(struct buf *out, const char *why)
{
	put_reply(out, "PERM", why, strlen(why));
}

static const char *put_temp(struct buf *out, const char *why)
{
	static const char text[] = "temporary lookup failure";

	put_reply(out, "TEMP", text, sizeof(text) - 1);
	return why;
}

/* What Postfix can be handed without being cut, misread or an empty result. */
static const char *check_value(const struct buf *value)
{
	if (value->failed)
		return "the value is longer than Postfix takes; give the alias fewer "
		       "recipients";
	if (value->len == 0)
		return "the value is empty; mend it in MUM";
	if (!text_is_clean(value->data, value->len))
		return "the value holds control characters, invalid UTF-8 or a domain "
		       "that is none; mend it in MUM";
	return NULL;
}

const char *socketmap_put_answer(struct buf *out, const struct socketmap_map *map,
				 const struct mum_answer *answer)
{
	struct buf value = BUF_INIT(SOCKETMAP_REPLY_MAX - sizeof("OK ") + 1);
	const char *why = NULL;

	switch (map->put_value(&value, answer)) {
	case MUM_FOUND:
		why = check_value(&value);
		if (why != NULL)
			put_temp(out, why);
		else
			put_reply(out, "OK", value.data, value.len);
		break;
	case MUM_NOT_FOUND:
		put_reply(out, "NOTFOUND", "", 0);
		break;
	case MUM_TEMPFAIL:
	case MUM_MISCONFIGURED:
		put_temp(out, NULL);
		break;
	}
	buf_free(&value);
	return why;
}
