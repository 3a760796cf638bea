/* SPDX-License-Identifier: MIT */
#include "dovecot-plugin/dovecot.h"

#include "dovecot-plugin/verify-queue.h"

#include <sched.h>
#include <unistd.h>

#include "dovecot-plugin/host-dovecot.h"

/*
 * ms, as in Dovecot's own queue: AUTH_WORKER_DELAY_WARN_SECS, AUTH_WORKER_ABORT_SECS and
 * AUTH_WORKER_DELAY_WARN_MIN_INTERVAL_SECS.
 */
enum { LATE = 3000, TOO_LATE = 60000, LOG_EVERY = 300000 };

struct queued {
	struct queued *prev, *next;
	struct auth_request *request;
	const char *command;		/* NULL if it did not have to wait */
	uint64_t since;			/* host_now() when it was asked */
	worker_answer_fn *fn;
	void *context;
};

static struct queued *first, *last;
static unsigned waiting;		/* in the queue */
static unsigned in_flight;		/* with the workers */
static bool has_answered;		/* a worker has, ever */
static bool late;			/* logged */
static uint64_t logged_at;		/* host_now(); 0: never */
static unsigned given_up;		/* since then */
static struct mum_timer *timer;		/* looks at the queue from the loop */

static bool knows_workers(void)
{
	return dovecot_knows_worker_limit || has_answered;
}

static unsigned processors(void)
{
	cpu_set_t set;
	long online;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		return (unsigned)CPU_COUNT(&set);
	online = sysconf(_SC_NPROCESSORS_ONLN);	/* there are more than the set has room for */
	return online > 0 ? (unsigned)online : 1;
}

/* How many the workers get at once. */
static unsigned limit(void)
{
	return knows_workers() ? processors() : 1;
}

static uint64_t waited(const struct queued *queued)
{
	return host_now(&host_dovecot) - queued->since;
}

static void leave(struct queued *queued)
{
	DLLIST2_REMOVE(&first, &last, queued);
	waiting--;
}

/* ---- the log ---- */

static void log_late(void)
{
	uint64_t now = host_now(&host_dovecot);

	if (late || first == NULL || waited(first) < LATE ||
	    (logged_at != 0 && now - logged_at < LOG_EVERY))
		return;
	late = TRUE;
	logged_at = now;
	given_up = 0;
	host_log(&host_dovecot, MUM_LOG_WARNING,
		 "logins wait for an auth worker to verify their passwords: %u wait, one for %u s; "
		 "if this comes often, more processors help, or hashes that cost less", waiting,
		 (unsigned)(waited(first) / 1000));
}

static void log_in_time(void)
{
	if (!late || first != NULL)
		return;
	late = FALSE;
	host_log(&host_dovecot, MUM_LOG_INFO,
		 "no login waits for an auth worker any more; %u were given up", given_up);
}

/* ---- the queue ---- */

static void on_answer(enum passdb_result result, void *context);

static void hand_over(struct queued *queued, const char *command)
{
	in_flight++;
	request_ask_worker(queued->request, command, on_answer, queued);
}

static void give_up(struct queued *queued)
{
	leave(queued);
	given_up++;
	e_error(authdb_event(queued->request), "no auth worker verified the password in %u s",
		(unsigned)(waited(queued) / 1000));
	queued->fn(PASSDB_RESULT_INTERNAL_FAILURE, queued->context);
}

static void on_turn(void *unused);

/* Looks again when there is something to do for the one that has waited longest. */
static void look_again(unsigned ms)
{
	host_untimer(&host_dovecot, &timer);
	if (first != NULL)
		timer = host_dovecot.ops->timer(NULL, ms, on_turn, NULL);
}

static void look_again_in_time(void)
{
	uint64_t age = first != NULL ? waited(first) : 0;
	uint64_t due = age < LATE ? LATE : TOO_LATE;

	look_again(due > age ? (unsigned)(due - age) : 0);
}

static void on_turn(void *unused ATTR_UNUSED)
{
	timer = NULL;
	log_late();
	while (first != NULL && waited(first) >= TOO_LATE)
		give_up(first);
	while (first != NULL && in_flight < limit()) {
		struct queued *queued = first;

		/* If no worker answered the first one, none would answer the others. */
		if (!knows_workers()) {
			give_up(queued);
			continue;
		}
		leave(queued);
		hand_over(queued, queued->command);
	}
	log_in_time();
	look_again_in_time();
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
	look_again(0);
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
	if (timer == NULL)
		look_again_in_time();
}

void verify_queue_forget(const void *context)
{
	for (struct queued *queued = first; queued != NULL; queued = queued->next) {
		if (queued->context == context) {
			leave(queued);
			return;
		}
	}
}

void verify_queue_end(void)
{
	host_untimer(&host_dovecot, &timer);
	while (first != NULL)
		leave(first);
}
