/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/threads.h"

/* A thread that waits until the test lets it continue. */
struct waiter {
	int gate[2];		/* a pipe; the thread reads a byte */
	bool blocks_signals, done;
};

static void waiter_init(struct waiter *waiter)
{
	*waiter = (struct waiter){ .done = false };
	if (pipe(waiter->gate) < 0)
		abort();
}

static void open_gate(struct waiter *waiter)
{
	if (write(waiter->gate[1], "", 1) != 1)
		abort();
}

static void waiter_clear(struct waiter *waiter)
{
	close(waiter->gate[0]);
	close(waiter->gate[1]);
}

static void *wait_at_gate(void *arg)
{
	struct waiter *waiter = arg;
	sigset_t blocked;
	char byte;

	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	waiter->blocks_signals = sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGHUP);
	__atomic_store_n(&waiter->done, read(waiter->gate[0], &byte, 1) == 1, __ATOMIC_RELEASE);
	return NULL;
}

/* True if all threads end; that takes a moment. */
static bool all_end(struct threads *threads)
{
	for (int tries = 0; tries < 5000; tries++) {
		if (!threads_run(threads))
			return true;
		poll(NULL, 0, 1);
	}
	return false;
}

static void test_a_thread_is_joined_by_its_owner(void **state)
{
	struct threads threads = { NULL, false };
	struct waiter waiter;
	struct thread *thread;
	sigset_t blocked;

	(void)state;
	waiter_init(&waiter);
	WANT("none at first", !threads_run(&threads));
	thread = thread_start(&threads, wait_at_gate, &waiter);
	WANT("is one", thread != NULL && threads_run(&threads));
	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	WANT("ours are as they were", !sigismember(&blocked, SIGTERM));
	open_gate(&waiter);
	thread_join(&threads, thread);
	WANT("has run", waiter.done);
	WANT("without signals", waiter.blocks_signals);
	WANT("none any more", threads.first == NULL);
	waiter_clear(&waiter);
}

static void test_a_thread_without_owner_is_joined_by_the_list(void **state)
{
	struct threads threads = { NULL, false };
	struct waiter first, second, third;
	struct thread *owned;

	(void)state;
	waiter_init(&first);
	waiter_init(&second);
	waiter_init(&third);
	thread_leave(thread_start(&threads, wait_at_gate, &first));
	owned = thread_start(&threads, wait_at_gate, &second);
	thread_leave(thread_start(&threads, wait_at_gate, &third));
	open_gate(&second);
	thread_join(&threads, owned);
	WANT("the other two run", threads_run(&threads));
	open_gate(&first);
	open_gate(&third);
	WANT("both end", all_end(&threads));
	WANT("and nothing of them stays", threads.first == NULL);
	waiter_clear(&first);
	waiter_clear(&second);
	waiter_clear(&third);
}

/* A busy loop may start another thread before it joins this one. */
static void test_a_thread_that_has_ended_waits_for_its_owner(void **state)
{
	struct threads threads = { NULL, false };
	struct waiter waiter, other;
	struct thread *thread, *another;

	(void)state;
	waiter_init(&waiter);
	waiter_init(&other);
	thread = thread_start(&threads, wait_at_gate, &waiter);
	open_gate(&waiter);
	while (!__atomic_load_n(&waiter.done, __ATOMIC_ACQUIRE))
		poll(NULL, 0, 1);
	poll(NULL, 0, 50);	/* until the kernel has ended it, too */
	another = thread_start(&threads, wait_at_gate, &other);
	WANT("both are in the list", threads.first == another && threads_run(&threads));
	thread_join(&threads, thread);
	open_gate(&other);
	thread_join(&threads, another);
	WANT("none any more", threads.first == NULL && !threads_run(&threads));
	waiter_clear(&waiter);
	waiter_clear(&other);
}

/* ---- the end of a process ---- */

static void say_handler(void)
{
	(void)!write(STDOUT_FILENO, "handler ", 8);
}

/* Runs a process that exits with 7; returns its exit status, and what it wrote. */
static int exit_of_child(bool with_thread, char *text, size_t size)
{
	int out[2], status;
	size_t used = 0;
	ssize_t got;
	pid_t pid;

	if (pipe(out) < 0 || (pid = fork()) < 0)
		abort();
	if (pid == 0) {
		static struct threads threads;
		static struct waiter waiter;

		dup2(out[1], STDOUT_FILENO);
		atexit(say_handler);
		threads_guard_exit(&threads);
		threads_guard_exit(&threads);
		waiter_init(&waiter);
		if (with_thread)
			thread_start(&threads, wait_at_gate, &waiter);
		printf("flushed ");
		exit(7);
	}
	close(out[1]);
	while ((got = read(out[0], text + used, size - 1 - used)) > 0)
		used += (size_t)got;
	text[used] = '\0';
	close(out[0]);
	waitpid(pid, &status, 0);
	return status;
}

static void test_a_process_with_a_thread_ends_at_once(void **state)
{
	char text[100];
	int status;

	(void)state;
	fflush(NULL);
	status = exit_of_child(true, text, sizeof(text));
	WANT("exited", WIFEXITED(status));
	WANT_NUMBER("with its status", WEXITSTATUS(status), 7);
	WANT_TEXT("flushed, and no handler", text, "flushed ");
}

static void test_a_process_without_threads_ends_as_ever(void **state)
{
	char text[100];
	int status;

	(void)state;
	fflush(NULL);
	status = exit_of_child(false, text, sizeof(text));
	WANT("exited", WIFEXITED(status));
	WANT_NUMBER("with its status", WEXITSTATUS(status), 7);
	WANT_TEXT("the handler runs, then stdio's own", text, "handler flushed ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_a_thread_is_joined_by_its_owner),
		UNIT_TEST(test_a_thread_that_has_ended_waits_for_its_owner),
		UNIT_TEST(test_a_thread_without_owner_is_joined_by_the_list),
		UNIT_TEST(test_a_process_with_a_thread_ends_at_once),
		UNIT_TEST(test_a_process_without_threads_ends_as_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
