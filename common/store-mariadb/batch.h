/* SPDX-License-Identifier: MIT */
/* Questions of one kind that share a statement. Leads each row back to its question. */
#ifndef MUM_STORE_MARIADB_BATCH_H
#define MUM_STORE_MARIADB_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "common/facts.h"
#include "common/name-pairs.h"
#include "common/store-mariadb/statements.h"
#include "common/store-queue.h"

enum { BATCH_MAX = 32 };	/* more would gain nothing and delay the first question */

struct batch {
	enum question_kind kind;
	size_t count;
	struct store_request *requests[BATCH_MAX];	/* NULL: withdrawn */
	size_t pairs_count;
	struct {
		unsigned char request, form;
	} pairs[BATCH_MAX * PAIRS_MAX];
};

void batch_clear(struct batch *batch, enum question_kind kind);
void batch_add(struct batch *batch, struct store_request *request);
void batch_remove(struct batch *batch, struct store_request *request);

/*
 * The shape of statement that this batch needs; for binds_names see conn_binds_names().
 */
enum statement_shape batch_shape(const struct batch *batch, bool binds_names);
/*
 * Makes the values of that shape's parameters. now is text in the form of PARAM_NOW.
 * The caller frees each of values[0..PARAMS_MAX-1].
 */
void batch_values(const struct batch *batch, enum statement_shape shape, const char *now,
		  char **values);

/* Gives the row to the request that asked. False when no request did. */
bool batch_row(struct batch *batch, const struct column *columns);

#endif
