/* SPDX-License-Identifier: MIT */
/*
 * A store (common/store.h) that keeps the questions until the test answers
 * them, or answers each from the next turn of the loop.
 */
#ifndef FAKE_STORE_H
#define FAKE_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/store.h"

/* Facts (one reference for the callee) or NULL for MUM_TEMPFAIL. */
typedef struct facts *fake_respond_fn(const struct question *question, void *arg);

struct fake_store {
	struct store store;	/* first: the store_ops cast to fake_store */
	const struct mum_host *host;
	struct store_request *requests;	/* neither answered nor withdrawn, oldest first */
	size_t submitted, answered, withdrawn;
	fake_respond_fn *respond;	/* NULL: the test answers by hand */
	void *respond_arg;
	struct mum_timer *turn;
};

void fake_store_init(struct fake_store *fake, const struct mum_host *host);
/* Answers each question from the next turn of the loop. */
void fake_store_respond(struct fake_store *fake, fake_respond_fn *fn, void *arg);
/* False when a request was neither answered nor withdrawn. */
bool fake_store_free(struct fake_store *fake);

size_t fake_store_pending(const struct fake_store *fake);
/* The index-th question that waits, oldest first; NULL if there is none. */
const struct question *fake_store_question(const struct fake_store *fake, size_t index);
/*
 * Answers the index-th question that waits; the request is gone when its
 * callback runs. Facts are the caller's; reason is not NULL unless MUM_FOUND.
 */
void fake_store_answer(struct fake_store *fake, size_t index, enum mum_status status,
		       struct facts *facts, const char *reason);

#endif
