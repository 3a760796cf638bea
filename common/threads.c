/* SPDX-License-Identifier: MIT */
#include "common/threads.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/xalloc.h"

struct thread {
	pthread_t id;
	bool left;		/* its owner does not wait for it: the list joins it */
	struct thread *next;
};

struct thread *thread_start(struct threads *threads, thread_fn *fn, void *arg)
{
	struct thread *thread = xcalloc(1, sizeof(*thread));
	sigset_t all, before;
	int error;

	threads_run(threads);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&thread->id, NULL, fn, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error != 0) {
		free(thread);
		return NULL;
	}
	thread->next = threads->first;
	threads->first = thread;
	return thread;
}

static void forget(struct thread **at)
{
	struct thread *thread = *at;

	*at = thread->next;
	free(thread);
}

void thread_join(struct threads *threads, struct thread *thread)
{
	struct thread **at = &threads->first;

	pthread_join(thread->id, NULL);
	while (*at != thread)
		at = &(*at)->next;
	forget(at);
}

void thread_leave(struct thread *thread)
{
	thread->left = true;
}

/*
 * pthread_tryjoin_np(3) succeeds only when the kernel has ended the thread. By then
 * the destructors of its thread-local data, some of them OpenSSL's, have run.
 */
bool threads_run(struct threads *threads)
{
	struct thread **at = &threads->first;

	while (*at != NULL) {
		if ((*at)->left && pthread_tryjoin_np((*at)->id, NULL) == 0)
			forget(at);
		else
			at = &(*at)->next;
	}
	return threads->first != NULL;
}

static void on_process_exit(int status, void *arg)
{
	if (!threads_run(arg))
		return;
	fflush(stdout);
	fflush(stderr);
	_exit(status);
}

void threads_guard_exit(struct threads *threads)
{
	if (threads->guarded)
		return;
	/*
	 * Handlers run in reverse order of registration, so this one runs before
	 * earlier ones.
	 */
	if (on_exit(on_process_exit, threads) != 0)
		abort();	/* no memory; as in xalloc.h */
	threads->guarded = true;
}
