/* SPDX-License-Identifier: MIT */
/* Questions on their way through a store, one after the other. */
#ifndef MUM_STORE_QUEUE_H
#define MUM_STORE_QUEUE_H

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
	struct facts *facts;		/* so far */
	const char *bad_row;		/* static; why the rows are of no use */
	enum mum_status status;		/* see request_finish() */
	char *reason;
	struct queue *queue;		/* the queue that it is in, or NULL */
	struct store_request *prev, *next;
	/* Only for store-mariadb/. */
	uint64_t number;		/* in the order of submission */
	unsigned attempts;		/* how many statements with it failed */
	struct batch *batch;		/* NULL while it waits in a queue */
};

/* A request that is in no queue. */
struct store_request *request_new(const struct question *question, store_done_fn *fn,
				  void *arg);
/* Takes it out of its queue first. */
void request_free(struct store_request *request);

/* Forgets earlier rows: the question is asked now, perhaps again. */
void request_begin(struct store_request *request);
/* All rows are there: the answer is the facts, or bad_row. */
void request_finish_rows(struct store_request *request);
/* Sets an answer other than MUM_FOUND. reason is copied. */
void request_finish(struct store_request *request, enum mum_status status,
		    const char *reason);
/* Gives the answer. Frees the request first and calls fn last. */
void request_answer(struct store_request *request);

/* Puts the request into the queue and takes it out of its batch. */
void queue_put(struct queue *queue, struct store_request *request, bool front);
/* NULL when empty. */
struct store_request *queue_take(struct queue *queue);

#endif
