/* SPDX-License-Identifier: MIT */
/*
 * Other programs, in place of mumctl/run-lines.c: what they print comes from a fuzz input,
 * which has the output of each one up to a NUL. A line that begins with '!' goes to
 * standard error; then the program has failed.
 */
#ifndef FUZZ_PROGRAMS_H
#define FUZZ_PROGRAMS_H

#include "tests/fuzz/fuzz.h"

/* Where the output of the next programs is; the caller keeps it while they run. */
void programs_print(struct feed *feed);

/* The input up to the next NUL, which is skipped. Caller frees. */
char *feed_part(struct feed *feed);

#endif
