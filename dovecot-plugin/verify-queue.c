/* SPDX-License-Identifier: MIT */
#include "dovecot-plugin/dovecot.h"

#include "dovecot-plugin/verify-queue.h"

#include "llist.h"

#include "dovecot-plugin/host-dovecot.h"

struct queued {
	struct queued *prev, *next;
	struct auth_request *request;
	const char *command;
	worker_answer_fn *fn;
	void *context;
};

static struct queued *first, *last;
static struct queued *alone;		/* the first, until a worker has answered it */
static bool has_answered;		/* a worker has answered, ever */
static bool ending;
static struct mum_timer *timer;		/* runs the rest of the queue from the loop */

static struct queued *take(void)
{
	struct queued *queued = first;

	DLLIST2_REMOVE(&first, &last, queued);
	return queued;
}

/* If no worker answered the first verification, none would answer the others. */
static void on_turn(void *unused ATTR_UNUSED)
{
	timer = NULL;
	while (first != NULL) {
		struct queued *queued = take();

		if (has_answered)
			request_ask_worker(queued->request, queued->command, queued->fn,
					   queued->context);
		else
			queued->fn(PASSDB_RESULT_INTERNAL_FAILURE, queued->context);
	}
}

static void on_answer(enum passdb_result result, void *context)
{
	struct queued *queued = context;

	alone = NULL;
	if (result != PASSDB_RESULT_INTERNAL_FAILURE)
		has_answered = TRUE;
	/*
	 * Not at once: auth may be ending. Then Dovecot answers in place of its
	 * workers, and frees its own queue to them.
	 */
	if (first != NULL && timer == NULL && !ending)
		timer = host_dovecot.ops->timer(NULL, 0, on_turn, NULL);
	queued->fn(result, queued->context);
}

void verify_queue_ask(struct auth_request *request, const char *command,
		      worker_answer_fn *fn, void *context)
{
	struct queued *queued;

	if (dovecot_knows_worker_limit || (has_answered && first == NULL)) {
		request_ask_worker(request, command, fn, context);
		return;
	}
	queued = p_new(request->pool, struct queued, 1);
	queued->request = request;
	queued->fn = fn;
	queued->context = context;
	if (alone == NULL && first == NULL) {
		alone = queued;
		request_ask_worker(request, command, on_answer, queued);
		return;
	}
	queued->command = p_strdup(request->pool, command);
	DLLIST2_APPEND(&first, &last, queued);
}

void verify_queue_end(void)
{
	ending = TRUE;
	host_untimer(&host_dovecot, &timer);
	while (first != NULL)
		(void)take();
}
