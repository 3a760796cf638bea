/* SPDX-License-Identifier: MIT */
#include "common/store-queue.h"

#include <stdlib.h>
#include <utlist.h>

#include "common/xalloc.h"

struct store_request *request_new(const struct question *question, store_done_fn *fn,
				  void *arg)
{
	struct store_request *request = xcalloc(1, sizeof(*request));

	request->question = *question;
	if (question->address != NULL)
		address_ref(question->address);
	request->fn = fn;
	request->arg = arg;
	return request;
}

static void leave(struct store_request *request)
{
	if (request->queue == NULL)
		return;
	DL_DELETE(request->queue->head, request);
	request->queue->count--;
	request->queue = NULL;
}

void request_free(struct store_request *request)
{
	leave(request);
	facts_unref(&request->facts);
	address_unref(&request->question.address);
	free(request->reason);
	free(request);
}

void request_begin(struct store_request *request)
{
	facts_unref(&request->facts);
	request->facts = facts_new(request->question.kind);
	request->bad_row = NULL;
}

void request_finish_rows(struct store_request *request)
{
	if (request->bad_row != NULL) {
		request_finish(request, MUM_TEMPFAIL, request->bad_row);
		return;
	}
	facts_complete(request->facts);
	request->status = MUM_FOUND;
}

void request_finish(struct store_request *request, enum mum_status status,
		    const char *reason)
{
	request->status = status;
	request->reason = xstrdup(reason);
}

void request_answer(struct store_request *request)
{
	store_done_fn *fn = request->fn;
	void *arg = request->arg;
	enum mum_status status = request->status;
	struct facts *facts = status == MUM_FOUND ? request->facts : NULL;
	char *reason = request->reason;

	request->reason = NULL;
	if (facts != NULL)
		request->facts = NULL;
	request_free(request);
	fn(status, facts, reason, arg);
	facts_unref(&facts);
	free(reason);
}

void queue_put(struct queue *queue, struct store_request *request, bool front)
{
	request->batch = NULL;
	request->queue = queue;
	if (front)
		DL_PREPEND(queue->head, request);
	else
		DL_APPEND(queue->head, request);
	queue->count++;
}

struct store_request *queue_take(struct queue *queue)
{
	struct store_request *request = queue->head;

	if (request != NULL)
		leave(request);
	return request;
}
