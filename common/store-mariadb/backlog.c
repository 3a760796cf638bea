/* SPDX-License-Identifier: MIT */
#include "common/store-mariadb/backlog.h"

#include <stdlib.h>

#include "common/columns.h"
#include "common/xalloc.h"

enum { ATTEMPTS_MAX = 5 };	/* statements that may fail for one question */

static const char unreadable[] = "the rows cannot be read";

/* ---- before they are asked ---- */

struct store_request *backlog_add(struct backlog *backlog, const struct question *question,
				  store_done_fn *fn, void *arg)
{
	struct store_request *request = request_new(question, fn, arg);

	request->number = backlog->next_number++;
	queue_put(&backlog->queues[question->kind], request, false);
	return request;
}

bool backlog_waits(const struct backlog *backlog)
{
	for (int i = 0; i < MUM_QUESTIONS; i++) {
		if (backlog->queues[i].count > 0)
			return true;
	}
	return false;
}

static struct queue *pick_queue(struct backlog *backlog, unsigned barred)
{
	struct queue *best = NULL;

	for (int i = 0; i < MUM_QUESTIONS; i++) {
		struct queue *queue = &backlog->queues[i];

		if (queue->head == NULL || (barred & MUM_ASK(i)) != 0)
			continue;
		if (best == NULL || queue->head->number < best->head->number)
			best = queue;
	}
	return best;
}

/* One whose statement failed is asked alone. */
bool backlog_next(struct backlog *backlog, unsigned barred, size_t idle,
		  struct batch *batch)
{
	struct queue *queue = pick_queue(backlog, barred);
	size_t share;

	if (queue == NULL)
		return false;
	share = (queue->count + idle - 1) / idle;
	if (share > BATCH_MAX)
		share = BATCH_MAX;
	if (queue->head->question.kind == MUM_USERS || queue->head->attempts > 0)
		share = 1;
	batch_clear(batch, queue->head->question.kind);
	while (batch->count < share && queue->count > 0) {
		if (batch->count > 0 && queue->head->attempts > 0)
			break;
		batch_add(batch, queue_take(queue));
	}
	return true;
}

/* ---- what came of them ---- */

static void end(struct backlog *backlog, struct store_request *request,
		enum mum_status status, const char *reason)
{
	request_finish(request, status, reason);
	queue_put(&backlog->finished, request, false);
}

static void end_with_rows(struct backlog *backlog, struct store_request *request)
{
	store_log_bad_row(&backlog->log, request);
	request_finish_rows(request);
	queue_put(&backlog->finished, request, false);
}

/*
 * Logs once for each kind of question, until that kind is answered again. A failure that
 * another try can fix is not logged: given_up says that there is no other try.
 */
static void log_broken(struct backlog *backlog, enum question_kind kind,
		       const struct conn_error *error, bool given_up)
{
	enum mum_log_level level = MUM_LOG_WARNING;
	const char *cure;

	if (error->class == ERROR_MISCONFIGURED) {
		level = MUM_LOG_ERROR;
		cure = "mail is deferred until the tables are MUM's, and the grants those "
		       "that \"mumctl setup\" prints";
	} else if (error->class == ERROR_SLOW || error->timed_out) {
		cure = "if this stays, look for a locked table or a slow server";
	} else if (given_up) {
		cure = "tried in vain, and mail is deferred; if this stays, see the server's log";
	} else {
		return;
	}
	store_log_broken(&backlog->log, level, kind, "database: question=%s: %s (%u); %s",
			 mum_question_name(kind), error->text, error->number, cure);
}

/* False when they cannot be read. */
static bool read_rows(struct batch *batch, struct conn *conn)
{
	struct column columns[COLUMNS_MAX + 1];
	int result;

	while ((result = conn_fetch(conn, columns)) > 0) {
		if (!batch_row(batch, columns))
			return false;
	}
	return result == 0;
}

void backlog_take_rows(struct backlog *backlog, struct batch *batch, struct conn *conn)
{
	static const struct conn_error error = { ERROR_RETRY, false, 0, unreadable };
	bool readable = read_rows(batch, conn);

	if (readable)
		store_log_answered(&backlog->log, batch->kind);
	else
		log_broken(backlog, batch->kind, &error, true);
	for (size_t i = 0; i < batch->count; i++) {
		struct store_request *request = batch->requests[i];

		if (request == NULL)
			continue;
		if (readable || request->bad_row != NULL)
			end_with_rows(backlog, request);
		else
			end(backlog, request, MUM_TEMPFAIL, unreadable);
	}
}

/* Asks again or ends it; true: it failed too often. */
static bool ask_again(struct backlog *backlog, struct store_request *request,
		      const struct conn_error *error, const char *reason)
{
	if (error->class == ERROR_MISCONFIGURED) {
		end(backlog, request, MUM_MISCONFIGURED, reason);
		return false;
	}
	if (request->attempts >= ATTEMPTS_MAX) {
		end(backlog, request, MUM_TEMPFAIL, reason);
		return true;
	}
	queue_put(&backlog->queues[request->question.kind], request, true);
	return false;
}

void backlog_failed(struct backlog *backlog, struct batch *batch, const char *host_name,
		    const struct conn_error *error, bool innocent)
{
	bool given_up = false;
	char *reason = xasprintf("database %s: %s (%u)", host_name, error->text,
				 error->number);

	/* Backwards, so that the queue keeps their order. */
	for (size_t i = batch->count; i-- > 0;) {
		struct store_request *request = batch->requests[i];

		if (request == NULL)
			continue;
		if (!innocent)
			request->attempts++;
		if (ask_again(backlog, request, error, reason))
			given_up = true;
	}
	log_broken(backlog, batch->kind, error, given_up);
	free(reason);
}

void backlog_deliver(struct backlog *backlog)
{
	struct store_request *request;

	while ((request = queue_take(&backlog->finished)) != NULL)
		request_answer(request);
}
