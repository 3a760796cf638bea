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

enum { MAPS = sizeof(maps) / sizeof(maps[0]), ALIASES = 2 };

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed feed = { data, size };
	size_t map = feed_byte(&feed) % MAPS, key_len, wire_len, value_len, rows;
	char *key = feed_text(&feed, &key_len);
	struct address *address =
		key == NULL ? NULL : address_new(maps[map].key, key, key_len, "+");
	struct facts *facts = facts_new(maps[map].kind);
	struct socketmap_request request;
	struct buf out = BUF_INIT(SOCKETMAP_REPLY_MAX * 2);
	struct mum_answer answer = { .status = MUM_FOUND, .address = address };
	const char *value;

	HOLDS(socketmap_parse(maps[map].request, strlen(maps[map].request), &request,
			      &wire_len) == PARSE_DONE && request.map != NULL);
	answer.facts[maps[map].kind] = facts;
	if (address != NULL) {
		rows = fill(facts, address, &feed);
		socketmap_put_answer(&out, request.map, &answer);
		value = check_reply(&out, &value_len);
		if (value != NULL)
			fuzz_reached();
		if (value != NULL && map == ALIASES)
			HOLDS(count_recipients(value, value_len) <= rows);
	}
	buf_free(&out);
	facts_unref(&facts);
	address_unref(&address);
	free(key);
	return 0;
}
