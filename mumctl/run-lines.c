/* SPDX-License-Identifier: MIT */
#include "mumctl/run-lines.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/xalloc.h"

enum { OUTPUT, ERRORS, STREAMS, CANNOT_RUN = 127, SIGNALLED = 128 };

struct stream {
	int fd;			/* -1: it has ended */
	size_t len;
	char line[RUN_LINE_MAX + 1];
};

/* ---- the child ---- */

/* cron's PATH has no sbin. */
static void widen_path(void)
{
	const char *path = getenv("PATH");
	char *wide = xasprintf("%s:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin",
			       path != NULL ? path : "");

	setenv("PATH", wide, 1);
	free(wide);
}

static void run_child(const char *const *argv, int input, const int ends[STREAMS])
{
	if (dup2(input, STDIN_FILENO) >= 0 &&
	    dup2(ends[OUTPUT], STDOUT_FILENO) >= 0 && dup2(ends[ERRORS], STDERR_FILENO) >= 0) {
		widen_path();
		execvp(argv[0], (char *const *)argv);
		fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
	}
	_exit(CANNOT_RUN);
}

/* -1: no process was started. */
static pid_t start(const char *const *argv, int input, struct stream streams[STREAMS])
{
	int pipes[STREAMS][2] = { { -1, -1 }, { -1, -1 } };
	pid_t pid = -1;

	fflush(NULL);
	if (pipe2(pipes[OUTPUT], O_CLOEXEC) == 0 && pipe2(pipes[ERRORS], O_CLOEXEC) == 0)
		pid = fork();
	if (pid == 0)
		run_child(argv, input, (int[]){ pipes[OUTPUT][1], pipes[ERRORS][1] });
	for (int i = 0; i < STREAMS; i++) {
		if (pipes[i][1] >= 0)
			close(pipes[i][1]);
		streams[i].fd = pipes[i][0];
	}
	return pid;
}

/* ---- its lines ---- */

struct run {
	struct stream streams[STREAMS];
	int quiet_ms;
	run_line_fn *fn;
	void *arg;
};

static void end_line(struct run *run, int which)
{
	struct stream *stream = &run->streams[which];

	stream->line[stream->len] = '\0';
	run->fn(stream->line, which == ERRORS, run->arg);
	stream->len = 0;
}

static void take(struct run *run, int which, const char *bytes, size_t count)
{
	struct stream *stream = &run->streams[which];

	for (size_t i = 0; i < count; i++) {
		if (bytes[i] == '\n')
			end_line(run, which);
		else if (stream->len < RUN_LINE_MAX)
			stream->line[stream->len++] = bytes[i];
	}
}

static void read_some(struct run *run, int which)
{
	struct stream *stream = &run->streams[which];
	char bytes[16384];
	ssize_t count = read(stream->fd, bytes, sizeof(bytes));

	if (count > 0) {
		take(run, which, bytes, (size_t)count);
		return;
	}
	if (count < 0 && errno == EINTR)
		return;
	/* Drops a last line without its end: it may be cut. */
	close(stream->fd);
	stream->fd = -1;
}

/* False: it was silent for too long. */
static bool read_all(struct run *run)
{
	while (run->streams[OUTPUT].fd >= 0 || run->streams[ERRORS].fd >= 0) {
		struct pollfd fds[STREAMS];
		int ready;

		for (int i = 0; i < STREAMS; i++)
			fds[i] = (struct pollfd){ .fd = run->streams[i].fd, .events = POLLIN };
		ready = poll(fds, STREAMS, run->quiet_ms);
		if (ready == 0)
			return false;
		if (ready < 0 && errno != EINTR)
			return true;
		for (int i = 0; i < STREAMS; i++) {
			if (fds[i].revents != 0)
				read_some(run, i);
		}
	}
	return true;
}

/* The exit status, as a shell has it. */
static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : SIGNALLED + WTERMSIG(status);
}

int run_lines_with(const char *const *argv, int input, int quiet_ms, run_line_fn *fn,
		   void *arg)
{
	struct run *run = xcalloc(1, sizeof(*run));
	pid_t pid = start(argv, input, run->streams);
	int error = errno;
	bool silent;

	run->quiet_ms = quiet_ms;
	run->fn = fn;
	run->arg = arg;
	silent = pid > 0 && !read_all(run);
	for (int i = 0; i < STREAMS; i++) {
		if (run->streams[i].fd >= 0)
			close(run->streams[i].fd);
	}
	/* What it printed may be secret. */
	explicit_bzero(run, sizeof(*run));
	free(run);
	if (pid < 0) {
		fn(strerror(error), true, arg);
		return CANNOT_RUN;
	}
	if (!silent)
		return wait_for(pid);
	/* Nobody waits for its end: while it hangs on a disk, it does not even die. */
	kill(pid, SIGKILL);
	return RUN_SILENT;
}

int run_lines_within(const char *const *argv, int quiet_ms, run_line_fn *fn, void *arg)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int status = null >= 0 ? run_lines_with(argv, null, quiet_ms, fn, arg) : CANNOT_RUN;

	if (null >= 0)
		close(null);
	return status;
}

int run_lines(const char *const *argv, run_line_fn *fn, void *arg)
{
	return run_lines_within(argv, RUN_FOR_EVER, fn, arg);
}
