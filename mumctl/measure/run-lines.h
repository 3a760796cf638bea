/* SPDX-License-Identifier: MIT */
/* Runs another program without a shell, and hands out what it prints line by line. */
#ifndef MUM_CTL_RUN_LINES_H
#define MUM_CTL_RUN_LINES_H

#include <stdbool.h>

/* Without its end; what is longer than RUN_LINE_MAX is cut. fn may change it. */
enum { RUN_LINE_MAX = 4096 };
typedef void run_line_fn(char *line, bool is_error, void *arg);

/*
 * Looks for argv[0] in PATH and where servers have their programs. Blocks until it has
 * ended; what it writes to standard error is a line as well (is_error), and nothing is
 * at its standard input. Its exit status; 127 when it cannot be run, and a number above
 * 128 when a signal ended it, as in a shell.
 */
int run_lines(const char *const *argv, run_line_fn *fn, void *arg);

#endif
