/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into a program, with MUM_INTRUDER naming a file of 4096 bytes: "WHAT PATH" that
 * others write at any time. At each SIGUSR2 the program does that, and writes "ANSWER" at
 * byte 2048: the name of the error, or 0. This is what a program does that was broken into.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 4096, ANSWER = 2048 };

static char *memory;	/* shared with who gives the orders */

static int opened(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

static int do_read(const char *path)
{
	return opened(path, O_RDONLY);
}

static int do_write(const char *path)
{
	return opened(path, O_WRONLY);
}

static int do_create(const char *path)
{
	return opened(path, O_WRONLY | O_CREAT | O_EXCL);
}

static int do_list(const char *path)
{
	return opened(path, O_RDONLY | O_DIRECTORY);
}

static int do_empty(const char *path)
{
	return truncate(path, 0);
}

static int do_folder(const char *path)
{
	return mkdir(path, 0700);
}

static int do_fifo(const char *path)
{
	return mkfifo(path, 0600);
}

static int do_link(const char *path)
{
	return symlink("/", path);
}

/* It has its own errno to say. */
static int do_run(const char *path)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		execl(path, path, NULL);
		_exit(errno);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return -1;
	errno = WEXITSTATUS(status);
	return errno == 0 ? 0 : -1;
}

static const struct {
	const char *what;
	int (*fn)(const char *path);
} orders[] = {
	{ "read", do_read },	 { "write", do_write },	  { "create", do_create },
	{ "list", do_list },	 { "empty", do_empty },	  { "remove", unlink },
	{ "folder", do_folder }, { "unfolder", rmdir },	  { "fifo", do_fifo },
	{ "link", do_link },	 { "run", do_run },
};

static void on_order(int number)
{
	char what[32] = "", path[1024] = "";

	(void)number;
	if (sscanf(memory, "%31s %1023s", what, path) != 2)
		return;
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		if (strcmp(orders[i].what, what) == 0)
			strcpy(memory + ANSWER, orders[i].fn(path) == 0
							? "0" : strerrorname_np(errno));
	}
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("MUM_INTRUDER");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (memory != MAP_FAILED)
		signal(SIGUSR2, on_order);
}
