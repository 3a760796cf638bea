/* SPDX-License-Identifier: MIT */
/* Questions of one kind that share a statement, and the way of rows to them. */
#ifndef MUM_STORE_MARIADB_BATCH_H
#define MUM_STORE_MARIADB_BATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "common/facts.h"
#include "common/pairs.h"
#include "common/store-mariadb/statements.h"
#include "common/store.h"

enum { BATCH_MAX = 32 };	/* more gains nothing and delays the first */

/* A question on its way through the pool. */
struct store_request {
	struct question question;	/* owns a reference to its address */
	store_done_fn *fn;
	void *arg;
	uint64_t number;		/* in the order of submission */
	unsigned attempts;		/* statements that failed under it */
	struct batch *batch;		/* NULL while it waits in a queue */
	struct facts *facts;		/* so far */
	const char *bad_row;		/* static; why the rows are of no use */
	enum mum_status status;		/* when finished */
	char *reason;
	struct store_request **list;	/* the pool's list it is in, or NULL */
	struct store_request *prev, *next;
};

struct batch {
	enum mum_question question;
	size_t count;
	struct store_request *requests[BATCH_MAX];	/* NULL: withdrawn */
	size_t pairs_count;
	struct {
		unsigned char request, form;
	} pairs[BATCH_MAX * PAIRS_MAX];
};

void batch_clear(struct batch *batch, enum mum_question question);
void batch_add(struct batch *batch, struct store_request *request);
void batch_remove(struct batch *batch, struct store_request *request);

/* The shape that serves what is in the batch. */
enum statement_shape batch_shape(const struct batch *batch);
/*
 * The values of that shape's parameters. now is text as PARAM_NOW wants it.
 * Caller frees each of values[0..PARAMS_MAX-1].
 */
void batch_values(const struct batch *batch, const char *now, char **values);

/* Gives the row to the request that asked. False when it is nobody's. */
bool batch_row(struct batch *batch, const struct column *columns);

#endif
