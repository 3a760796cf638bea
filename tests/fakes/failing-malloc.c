/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into a program, with MUM_FAILING_MALLOC naming a file of 8 bytes:
 * a 64-bit counter n that others write at any time. From then on the n-th
 * allocation fails, and no other; 0 is none, and what the counter comes to.
 * Knows glibc, which calls what it finds first under these names, itself too.
 * A crash prints who called whom on standard error.
 */
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static _Atomic long long *counter;	/* NULL until there is a file */

static void on_crash(int number)
{
	void *frames[64];

	atomic_store(counter, 0);
	backtrace_symbols_fd(frames, backtrace(frames, 64), STDERR_FILENO);
	signal(number, SIG_DFL);
	raise(number);
}

/* Where a crash is blocked, nobody is told of it. */
int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	sigset_t less;

	if (set != NULL) {
		less = *set;
		sigdelset(&less, SIGSEGV);
	}
	return sigprocmask(how, set != NULL ? &less : NULL, old) < 0 ? errno : 0;
}

__attribute__((constructor)) static void find_counter(void)
{
	void *frame;
	const char *path = getenv("MUM_FAILING_MALLOC");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *memory;

	if (fd < 0)
		abort();
	memory = mmap(NULL, sizeof(*counter), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		abort();
	counter = memory;
	close(fd);
	backtrace(&frame, 1);	/* allocates when it is first called */
	signal(SIGSEGV, on_crash);
}

static int fails(void)
{
	if (counter == NULL || atomic_load(counter) <= 0 ||
	    atomic_fetch_sub(counter, 1) != 1)
		return 0;
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}
