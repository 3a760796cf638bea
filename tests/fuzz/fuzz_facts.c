/* SPDX-License-Identifier: MIT */
/* Rows of any content through a batch into facts, and every rule over them. */
#include <stdlib.h>
#include <string.h>

#include "common/address-fallback.h"
#include "common/rules.h"
#include "common/rules-users.h"
#include "common/store-mariadb/batch.h"
#include "common/text.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rows.h"

enum { REQUESTS = 3 };

static const char *const roles[] = { "postmaster", "joe" };
static const struct fallback_settings settings = { true, 2, roles, "admin@d" };

static void check_rules(enum question_kind kind, struct store_request *request)
{
	struct mum_answer answer = { .status = MUM_FOUND,
				     .address = request->question.address };
	struct arena arena = { NULL };
	struct recipients recipients;
	struct owners owners;
	struct credential credential;
	struct user user;
	const struct delivery_row *mailbox;
	struct recipient_ruling recipient;
	enum sender_verdict sender;
	const char *text, *more;

	answer.facts[kind] = request->facts;
	if (kind == MUM_DOMAIN && rule_domain(&answer, &text) == MUM_FOUND)
		HOLDS(address_is_domain(answer.address, text));
	if (kind == MUM_TLS && rule_tls(&answer, &text, &more) == MUM_FOUND)
		HOLDS(text != NULL && more != NULL);
	if (kind == MUM_DELIVERY) {
		HOLDS(rule_recipient(&answer, &recipient) == MUM_FOUND);
		if (rule_recipients(&answer, &arena, &recipients) == MUM_FOUND)
			HOLDS(recipients.count > 0 &&
			      recipients.count <= request->facts->count &&
			      recipient.verdict == RECIPIENT_ACCEPTED);
		if (rule_mailbox(&answer, &mailbox) == MUM_FOUND)
			HOLDS(mailbox->mailbox != NULL && recipient.verdict != RECIPIENT_UNKNOWN);
	}
	if (kind == MUM_OWNERS) {
		if (rule_owners(&answer, &arena, &owners) == MUM_FOUND)
			HOLDS(rule_sender(&answer, owners.logins[owners.count - 1], false,
					  &sender) == MUM_FOUND &&
			      sender == SENDER_ACCEPTED);
		HOLDS(rule_sender(&answer, "", false, &sender) == MUM_FOUND);
	}
	if (kind == MUM_CREDENTIAL &&
	    rule_credential(&answer, &credential) == MUM_FOUND)
		HOLDS(text_is_clean(credential.address, strlen(credential.address)));
	if (kind == MUM_USER && rule_user(&answer, &user, &text) == MUM_FOUND)
		HOLDS(*user.home == '/' && *user.mail != '\0' && user.quota_gb < UINT64_C(1) << 33);
	arena_free(&arena);
}

/* The facts and the same in one block; the rules say the same of both. */
static void check_packed(enum question_kind kind, struct store_request *request)
{
	struct facts *whole = facts_ref(request->facts), *packed;

	check_rules(kind, request);
	if (mum_question_is_cached(kind)) {
		packed = facts_pack(whole);
		HOLDS(packed->count == whole->count);
		facts_unref(&request->facts);
		request->facts = packed;
		check_rules(kind, request);
	}
	facts_unref(&whole);
}

static void feed_rows(struct batch *batch, struct feed *feed)
{
	while (feed->size > 0) {
		unsigned aim = feed_byte(feed);
		struct store_request *request = batch->requests[aim % batch->count];
		struct row row;

		row_feed(&row, feed);
		if (aim >= 128 && request != NULL && request->question.address != NULL)
			row_aim(&row, batch->kind, request->question.address,
				aim / 4 % request->question.address->forms_count);
		if (batch_row(batch, row.columns))
			fuzz_reached();
		row_free(&row);
	}
}

/* The key of one request, which goes into the batch if it is an address; a page has none. */
static void feed_request(struct batch *batch, struct store_request *request, struct feed *feed,
			 bool fallbacks)
{
	enum address_kind key_kind = mum_question_key(batch->kind);
	struct address *address = NULL;
	size_t len;
	char *key = feed_text(feed, &len);

	if (key != NULL && batch->kind != MUM_USERS)
		address = address_new(key_kind, key, len, "+");
	if (fallbacks && address != NULL && key_kind == ADDRESS_MAIL)
		address_add_fallbacks(address, &settings);
	request->question = (struct question){ .kind = batch->kind, .address = address,
					       .after_id = len };
	if (address != NULL || (batch->kind == MUM_USERS && batch->count == 0))
		batch_add(batch, request);
	free(key);
}

static void check_values(const struct batch *batch)
{
	enum statement_shape shape = batch_shape(batch, true);
	const enum statement_param *params = statements[batch->kind].shapes[shape].params;
	char *values[PARAMS_MAX];

	batch_values(batch, shape, "2026-01-01 00:00:00", values);
	for (int i = 0; params[i] != PARAM_END; i++)
		HOLDS(values[i] != NULL);
	for (int i = 0; i < PARAMS_MAX; i++)
		free(values[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed feed = { data, size };
	unsigned choice = feed_byte(&feed);
	enum question_kind kind = (enum question_kind)(choice % MUM_QUESTIONS);
	struct store_request requests[REQUESTS] = { { .number = 0 } };
	struct batch batch;

	batch_clear(&batch, kind);
	for (size_t i = 0; i < REQUESTS; i++)
		feed_request(&batch, &requests[i], &feed, choice >= 128);
	if (batch.count > 0) {
		check_values(&batch);
		/* Somebody does not wait any more. */
		if (choice / 64 % 2 == 1)
			batch_remove(&batch, batch.requests[0]);
		feed_rows(&batch, &feed);
	}
	for (size_t i = 0; i < batch.count; i++) {
		if (batch.requests[i] == NULL)
			continue;
		facts_complete(batch.requests[i]->facts);
		if (batch.requests[i]->bad_row == NULL)
			check_packed(kind, batch.requests[i]);
	}
	for (size_t i = 0; i < REQUESTS; i++) {
		facts_unref(&requests[i].facts);
		address_unref(&requests[i].question.address);
	}
	return 0;
}
