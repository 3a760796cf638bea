/* SPDX-License-Identifier: MIT */
/* Rows of any content as replies of any map: what Postfix gets is always sound. */
#include "postfix-policy/protocol/socketmap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rows.h"

static const struct {
	const char *request;
	enum question_kind kind;
	enum address_kind key;
} maps[] = {
	{ "9:domains x,", MUM_DOMAIN, ADDRESS_DOMAIN },
	{ "11:mailboxes x,", MUM_DELIVERY, ADDRESS_MAIL },
	{ "9:aliases x,", MUM_DELIVERY, ADDRESS_MAIL },
	{ "19:sender-login-maps x,", MUM_OWNERS, ADDRESS_MAIL },
	{ "18:recipient-access x,", MUM_DELIVERY, ADDRESS_MAIL },
	{ "14:tls-policies x,", MUM_TLS, ADDRESS_TLS },
};

enum { MAPS = sizeof(maps) / sizeof(maps[0]) };

static const enum mum_status statuses[] = { MUM_FOUND, MUM_NOT_FOUND, MUM_TEMPFAIL,
					    MUM_MISCONFIGURED };

enum { STATUSES = sizeof(statuses) / sizeof(statuses[0]) };

/* Recipients in the value, as Postfix counts them: commas outside of quotes. */
static size_t count_recipients(const char *value, size_t len)
{
	size_t count = 1;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		if (quoted && value[i] == '\\')
			i++;
		else if (value[i] == '"')
			quoted = !quoted;
		else if (value[i] == ',' && !quoted)
			count++;
	}
	HOLDS(!quoted);
	return count;
}

/* The value of an OK, or NULL with another word. */
static const char *check_reply(const struct buf *out, size_t *len_r)
{
	static const char *const words[] = { "OK ", "NOTFOUND ", "TEMP ", "PERM " };
	struct netstring frame;

	HOLDS(!out->failed);
	HOLDS(netstring_parse(out->data, out->len, SOCKETMAP_REPLY_MAX, &frame) ==
	      PARSE_DONE);
	HOLDS(frame.wire_len == out->len);
	HOLDS(text_is_clean(frame.data, frame.len));
	for (size_t i = 0; i < 4; i++) {
		size_t len = strlen(words[i]);

		if (frame.len < len || memcmp(frame.data, words[i], len) != 0)
			continue;
		*len_r = frame.len - len;
		HOLDS(i != 0 || *len_r > 0);	/* a bare "OK" is read as "not found" */
		return i == 0 ? frame.data + len : NULL;
	}
	fuzz_broken("one of the four words", __FILE__, __LINE__);
}

static size_t fill(struct facts *facts, const struct address *address, struct feed *feed)
{
	const char *why = NULL;
	size_t count = 0;

	while (feed->size > 0 && why == NULL) {
		size_t form = feed_byte(feed) % address->forms_count;
		struct row row;

		row_feed(&row, feed);
		row_aim(&row, facts->kind, address, form);
		facts_add_row(facts, address, form, row.columns, &why);
		row_free(&row);
		count++;
	}
	facts_complete(facts);
	return count;
}

static const struct socketmap_map *map_of(size_t map)
{
	struct socketmap_request request;
	size_t wire_len, len = strlen(maps[map].request);

	HOLDS(socketmap_parse(maps[map].request, len, &request, &wire_len) == PARSE_DONE);
	HOLDS(request.map == socketmap_by_number((enum socketmap_number)map));
	HOLDS(socketmap_number(request.map) == map);
	HOLDS(socketmap_by_name(request.name, request.name_len) == request.map);
	HOLDS(socketmap_question(request.map) == maps[map].kind);
	return request.map;
}

/* No answer is never "not found", nor is it a value. */
static void check_outcome(const struct socketmap_outcome *outcome,
			  const struct mum_answer *answer, bool has_value)
{
	HOLDS(has_value == (outcome->result == SOCKETMAP_FOUND));
	if (answer->status == MUM_TEMPFAIL)
		HOLDS(outcome->result == SOCKETMAP_TEMPFAIL);
	if (answer->status == MUM_MISCONFIGURED)
		HOLDS(outcome->result == SOCKETMAP_MISCONFIGURED);
	HOLDS((outcome->result == SOCKETMAP_BAD_VALUE) == (outcome->fault != NULL));
}

static void check_answer(const struct socketmap_map *map, const struct mum_answer *answer,
			 size_t rows)
{
	struct buf out = BUF_INIT(SOCKETMAP_REPLY_MAX * 2), text = BUF_INIT(SOCKETMAP_REPLY_MAX);
	struct buf raw = BUF_INIT(SOCKETMAP_VALUE_MAX);
	struct socketmap_outcome outcome = socketmap_put_answer(&out, map, answer);
	size_t len;
	const char *value = check_reply(&out, &len);

	check_outcome(&outcome, answer, value != NULL);
	HOLDS(socketmap_put_value(&raw, map, answer).result == outcome.result);
	socketmap_put_text(&text, outcome.result, &raw);
	HOLDS(!text.failed && text.len < out.len &&
	      memcmp(text.data, out.data + out.len - 1 - text.len, text.len) == 0);
	if (value != NULL)
		fuzz_reached();
	if (value != NULL && socketmap_number(map) == SOCKETMAP_ALIASES)
		HOLDS(count_recipients(value, len) <= rows);
	buf_free(&raw);
	buf_free(&text);
	buf_free(&out);
}

static void check_perm(const char *why, size_t len)
{
	struct buf out = BUF_INIT(SOCKETMAP_REPLY_MAX);
	size_t value_len;

	if (!text_is_clean(why, len))
		return;
	socketmap_put_perm(&out, why);
	HOLDS(check_reply(&out, &value_len) == NULL);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed feed = { data, size };
	unsigned choice = feed_byte(&feed);
	size_t map = choice % MAPS, key_len;
	char *key = feed_text(&feed, &key_len);
	struct address *address =
		key == NULL ? NULL : address_new(maps[map].key, key, key_len, "+");
	struct facts *facts = facts_new(maps[map].kind);
	struct mum_answer answer = { .status = statuses[choice / MAPS % STATUSES],
				     .address = address };

	answer.facts[maps[map].kind] = facts;
	if (address != NULL)
		check_answer(map_of(map), &answer, fill(facts, address, &feed));
	if (key != NULL)
		check_perm(key, key_len);
	facts_unref(&facts);
	address_unref(&address);
	free(key);
	return 0;
}
