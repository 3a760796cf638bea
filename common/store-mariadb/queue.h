/* SPDX-License-Identifier: MIT */
/* Questions on their way through the pool, one after the other. */
#ifndef MUM_STORE_MARIADB_QUEUE_H
#define MUM_STORE_MARIADB_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/store.h"

struct batch;

struct queue {
	struct store_request *head;
	size_t count;
};

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
	struct queue *queue;		/* that it is in, or NULL */
	struct store_request *prev, *next;
};

/* In none. */
struct store_request *request_new(const struct question *question, store_done_fn *fn,
				  void *arg);
/* Takes it out of its queue first. */
void request_free(struct store_request *request);

/* It leaves its batch. */
void queue_put(struct queue *queue, struct store_request *request, bool front);
/* NULL when empty. */
struct store_request *queue_take(struct queue *queue);

/* Gives each its answer, oldest first, and those that come in meanwhile. */
void queue_deliver(struct queue *finished);

#endif
