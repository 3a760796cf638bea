/* SPDX-License-Identifier: MIT */
#include "common/store-mariadb/batch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/columns.h"
#include "common/xalloc.h"

void batch_clear(struct batch *batch, enum question_kind kind)
{
	batch->kind = kind;
	batch->count = 0;
	batch->pairs_count = 0;
}

void batch_add(struct batch *batch, struct store_request *request)
{
	const struct address *address = request->question.address;
	size_t pairs = address != NULL ? pairs_count(address) : 1;

	for (size_t pair = 0; pair < pairs; pair++) {
		size_t form = address != NULL ? pairs_form(address, pair) : 0;

		batch->pairs[batch->pairs_count].request = (unsigned char)batch->count;
		batch->pairs[batch->pairs_count].form = (unsigned char)form;
		batch->pairs_count++;
	}
	batch->requests[batch->count++] = request;
	request->batch = batch;
	request_begin(request);
}

void batch_remove(struct batch *batch, struct store_request *request)
{
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->requests[i] == request)
			batch->requests[i] = NULL;
	}
	request->batch = NULL;
}

static char *pairs_json(const struct batch *batch)
{
	struct buf json = BUF_INIT(BATCH_MAX * PAIRS_JSON_MAX);

	buf_puts(&json, "[");
	for (size_t i = 0; i < batch->count; i++)
		pairs_put_json(&json, batch->requests[i]->question.address);
	buf_puts(&json, "]");
	return buf_steal(&json);
}

enum statement_shape batch_shape(const struct batch *batch, bool binds_names)
{
	return binds_names && batch->pairs_count == 1 &&
			       statements[batch->kind].shapes[SHAPE_ONE].sql != NULL
		       ? SHAPE_ONE : SHAPE_MANY;
}

static char *param_value(const struct batch *batch, enum statement_param param,
			 const char *now)
{
	const struct question *question = &batch->requests[0]->question;

	switch (param) {
	case PARAM_PAIRS:
		return pairs_json(batch);
	case PARAM_LOCAL:
		return xstrdup(question->address->forms[0].local);
	case PARAM_DOMAIN:
		return xstrdup(question->address->domains[0]);
	case PARAM_NOW:
		return xstrdup(now);
	case PARAM_AFTER:
		return xasprintf("%" PRIu64, question->after_id);
	case PARAM_END:
		break;
	}
	return NULL;
}

void batch_values(const struct batch *batch, enum statement_shape shape, const char *now,
		  char **values)
{
	const enum statement_param *params = statements[batch->kind].shapes[shape].params;

	memset(values, 0, PARAMS_MAX * sizeof(*values));
	for (int i = 0; params[i] != PARAM_END; i++)
		values[i] = param_value(batch, params[i], now);
}

bool batch_row(struct batch *batch, const struct column *columns)
{
	unsigned long pair = columns[COLUMN_PAIR].data == NULL
				     ? 0 : strtoul(columns[COLUMN_PAIR].data, NULL, 10);
	struct store_request *request;

	if (pair < 1 || pair > batch->pairs_count)
		return false;
	request = batch->requests[batch->pairs[pair - 1].request];
	if (request == NULL || request->bad_row != NULL)
		return true;
	facts_add_row(request->facts, request->question.address,
		      batch->pairs[pair - 1].form, columns, &request->bad_row);
	return true;
}
