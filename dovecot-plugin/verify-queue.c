/* SPDX-License-Identifier: MIT */
#include "dovecot-plugin/dovecot.h"

#include "dovecot-plugin/verify-queue.h"

#include "llist.h"

#include <sched.h>

#include "dovecot-plugin/host-dovecot.h"

/* As in Dovecot's own queue (AUTH_WORKER_DELAY_WARN_SECS, AUTH_WORKER_ABORT_SECS); ms. */
enum { LATE = 3000, TOO_LATE = 60000 };

struct queued {
	struct queued *prev, *next;
	struct auth_request *request;
	const char *command;		/* NULL if it need not wait */
	uint64_t since;			/* host_now() when it was asked */
	worker_answer_fn *fn;
	void *context;
};

static struct queued *first, *last;
static unsigned waiting;		/* in the queue */
static unsigned in_flight;		/* with the workers */
static bool has_answered;		/* a worker has, ever */
static bool ending;
static bool late;			/* logged */
static unsigned given_up;		/* since then */
static struct mum_timer *timer;		/* runs the queue from the loop */

static bool knows_workers(void)
{
	return dovecot_knows_worker_limit || has_answered;
}

/* How many the workers get at once. The one more is there when another one ends. */
static unsigned limit(void)
{
	cpu_set_t processors;

	if (!knows_workers() || sched_getaffinity(0, sizeof(processors), &processors) != 0)
		return 1;
	return (unsigned)CPU_COUNT(&processors) + 1;
}

static struct queued *take(void)
{
	struct queued *queued = first;

	DLLIST2_REMOVE(&first, &last, queued);
	waiting--;
	return queued;
}

static void on_answer(enum passdb_result result, void *context);

static void hand_over(struct queued *queued, const char *command)
{
	in_flight++;
	request_ask_worker(queued->request, command, on_answer, queued);
}

static void give_up(struct queued *queued)
{
	given_up++;
	queued->fn(PASSDB_RESULT_INTERNAL_FAILURE, queued->context);
}

static void log_late(uint64_t waited)
{
	if (late || waited < LATE)
		return;
	late = TRUE;
	given_up = 0;
	host_log(&host_dovecot, MUM_LOG_WARNING,
		 "logins wait for a processor to verify their passwords: one has waited %u s, "
		 "%u more wait; if this stays, hashes that cost less help, or more processors",
		 (unsigned)(waited / 1000), waiting);
}

static void log_in_time(void)
{
	if (!late || first != NULL)
		return;
	late = FALSE;
	host_log(&host_dovecot, MUM_LOG_INFO,
		 "no login waits for a processor any more; %u were given up meanwhile", given_up);
}

/* If no worker answered the first verification, none would answer the others. */
static void on_turn(void *unused ATTR_UNUSED)
{
	timer = NULL;
	while (first != NULL && in_flight < limit()) {
		struct queued *queued = take();
		uint64_t waited = host_now(&host_dovecot) - queued->since;

		if (knows_workers())
			log_late(waited);
		if (knows_workers() && waited < TOO_LATE)
			hand_over(queued, queued->command);
		else
			give_up(queued);
	}
	log_in_time();
}

static void on_answer(enum passdb_result result, void *context)
{
	struct queued *queued = context;

	in_flight--;
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
	struct queued *queued = p_new(request->pool, struct queued, 1);

	queued->request = request;
	queued->since = host_now(&host_dovecot);
	queued->fn = fn;
	queued->context = context;
	if (first == NULL && in_flight < limit()) {
		hand_over(queued, command);
		return;
	}
	queued->command = p_strdup(request->pool, command);
	DLLIST2_APPEND(&first, &last, queued);
	waiting++;
}

void verify_queue_end(void)
{
	ending = TRUE;
	host_untimer(&host_dovecot, &timer);
	while (first != NULL)
		(void)take();
}
