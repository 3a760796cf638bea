/* SPDX-License-Identifier: MIT */
#include "dovecot-plugin/dovecot.h"

#include "dovecot-plugin/verify-queue.h"

#include "llist.h"

#include "dovecot-plugin/host-dovecot.h"

/* As long as Dovecot's own queue to the workers keeps a request. */
enum { WAIT_MAX_MS = 60000 };

struct queued {
	struct queued *prev, *next;
	struct auth_request *request;
	const char *command;
	worker_answer_fn *fn;
	void *context;
	uint64_t since;
};

static struct queued *first, *last;
static struct queued *alone;		/* the one that a worker has, until one has answered */
static bool has_answered;		/* a worker, in the life of this process */
static bool ending;
static struct mum_timer *timer;		/* the next one goes from the loop */

static struct queued *take(void)
{
	struct queued *queued = first;

	DLLIST2_REMOVE(&first, &last, queued);
	return queued;
}

static void send_next(void);

static void on_turn(void *unused ATTR_UNUSED)
{
	timer = NULL;
	if (!has_answered) {
		send_next();
		return;
	}
	while (first != NULL) {
		struct queued *queued = take();

		request_ask_worker(queued->request, queued->command, queued->fn,
				   queued->context);
	}
}

/*
 * Not at once: auth may be ending, when Dovecot answers for its workers and takes down
 * its own queue to them.
 */
static void go_on_from_the_loop(void)
{
	if (first != NULL && timer == NULL && !ending)
		timer = host_dovecot.ops->timer(NULL, 0, on_turn, NULL);
}

static void on_answer(enum passdb_result result, void *context)
{
	struct queued *queued = context;

	alone = NULL;
	/* After a failure the next one tries: this worker may have been too small for it. */
	if (result != PASSDB_RESULT_INTERNAL_FAILURE)
		has_answered = TRUE;
	go_on_from_the_loop();
	queued->fn(result, queued->context);
}

static void send_next(void)
{
	struct queued *queued = take();

	if (host_now(&host_dovecot) - queued->since > WAIT_MAX_MS) {
		go_on_from_the_loop();
		queued->fn(PASSDB_RESULT_INTERNAL_FAILURE, queued->context);
		return;
	}
	alone = queued;
	request_ask_worker(queued->request, queued->command, on_answer, queued);
}

void verify_queue_ask(struct auth_request *request, const char *command,
		      worker_answer_fn *fn, void *context)
{
	struct queued *queued;

	if (has_answered && first == NULL) {
		request_ask_worker(request, command, fn, context);
		return;
	}
	queued = p_new(request->pool, struct queued, 1);
	queued->request = request;
	queued->command = p_strdup(request->pool, command);
	queued->fn = fn;
	queued->context = context;
	queued->since = host_now(&host_dovecot);
	DLLIST2_APPEND(&first, &last, queued);
	if (alone == NULL && timer == NULL)
		send_next();
}

void verify_queue_end(void)
{
	ending = TRUE;
	host_untimer(&host_dovecot, &timer);
	while (first != NULL)
		(void)take();
}
