/* SPDX-License-Identifier: MIT */
/* Runs another program without a shell, and hands out what it prints line by line. */
#ifndef MUM_CTL_RUN_LINES_H
#define MUM_CTL_RUN_LINES_H

#include <stdbool.h>

/* line: without its end, and cut at RUN_LINE_MAX. fn may change it. */
enum { RUN_LINE_MAX = 1 << 20 };
typedef void run_line_fn(char *line, bool is_error, void *arg);

/*
 * Looks for argv[0] in PATH and where servers have their programs. Blocks until the program
 * has ended. A line that it writes to standard error is an error; its standard input is
 * empty. As a shell does, returns its exit status; 127 if it cannot be run, and a number
 * above 128 if a signal ended it.
 */
int run_lines(const char *const *argv, run_line_fn *fn, void *arg);
/*
 * The same, but kills the program when it has printed nothing for quiet_ms, and returns
 * RUN_SILENT, which is no exit status.
 */
enum { RUN_SILENT = 256 };
enum { RUN_FOR_EVER = -1 };	/* as quiet_ms: there is no limit */
int run_lines_within(const char *const *argv, int quiet_ms, run_line_fn *fn, void *arg);
/* The same with a descriptor as its standard input. */
int run_lines_with(const char *const *argv, int input, int quiet_ms, run_line_fn *fn,
		   void *arg);

#endif
