/* SPDX-License-Identifier: MIT */
/*
 * The threads of a process that may outlive what started them. A program owns
 * the list and lends it to the core (host.h). Only the thread that runs the
 * loop calls these functions.
 */
#ifndef MUM_THREADS_H
#define MUM_THREADS_H

#include <stdbool.h>

struct thread;		/* owned by the list until it is joined */

/* Lives as long as the process: threads_guard_exit() keeps its address. */
struct threads {
	struct thread *first;	/* not joined yet */
	bool guarded;
};

typedef void *thread_fn(void *arg);

/* Runs fn(arg) in a new thread in which all signals are blocked. NULL: no thread. */
struct thread *thread_start(struct threads *threads, thread_fn *fn, void *arg);
/*
 * Whoever started a thread joins it or leaves it, once. Until then the handle is
 * valid, even when the thread has ended. thread_join() waits until it has ended; the
 * list joins a thread that was left.
 */
void thread_join(struct threads *threads, struct thread *thread);
void thread_leave(struct thread *thread);

/* Joins the threads that were left and have ended. True if other threads remain. */
bool threads_run(struct threads *threads);

/*
 * From now on, exit() and a return from main() end the process like _exit() if
 * a thread still runs then: exit handlers that were registered before this call
 * do not run. Such a handler frees the tables of a library, for example
 * OpenSSL's (OPENSSL_cleanup(3)), which the thread may be using. Standard
 * output and error are flushed; the exit status stays. Calling it again does
 * nothing.
 */
void threads_guard_exit(struct threads *threads);

#endif
