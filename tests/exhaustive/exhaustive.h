/* SPDX-License-Identifier: MIT */
/*
 * Every string up to a length over a small alphabet, shown to the code and to a short
 * specification of it. A letter of the alphabet may be a byte or a whole word.
 */
#ifndef EXHAUSTIVE_H
#define EXHAUSTIVE_H

#include <stdbool.h>
#include <stddef.h>

struct letter {
	const char *bytes;
	size_t len;
};

#define LETTER(text) { text, sizeof(text) - 1 }
#define LETTERS(table) (table), sizeof(table) / sizeof((table)[0])

/*
 * The bytes end where their block of memory ends but for one NUL, so that sanitizers see
 * who reads further.
 */
typedef void string_fn(const char *bytes, size_t len, void *arg);

/* From the empty string to all of max letters. */
void each_string(const struct letter *letters, size_t count, unsigned max, string_fn *fn,
		 void *arg);

/* Code and specification differ about these bytes. The first few are printed. */
void differ(const char *bytes, size_t len, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The number of letters: usual, or long_run if the program was started with --long. */
unsigned letters_max(int argc, char **argv, unsigned usual, unsigned long_run);
/* Prints how many strings there were. The status of the program. */
int exhaustive_end(const char *subject);

#endif
