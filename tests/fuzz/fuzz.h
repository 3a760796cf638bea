/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets share. Each target is one function of libFuzzer's; with
 * driver.c instead of libFuzzer the same function runs its seeds.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Unlike assert() this is never compiled out, and says what broke. */
#define HOLDS(condition) \
	((condition) ? (void)0 : fuzz_broken(#condition, __FILE__, __LINE__))
void fuzz_broken(const char *condition, const char *file, int line)
	__attribute__((noreturn));

/*
 * The input came through to the end of the parser. A run in which that never
 * happened tests nothing, and aborts when it ends.
 */
void fuzz_reached(void);

/* The input, taken piece by piece. */
struct feed {
	const uint8_t *data;
	size_t size;
};

unsigned feed_byte(struct feed *feed);	/* 0 when there is no more */
/*
 * Text of up to 255 bytes in a block of its own, NUL-terminated; *len_r counts
 * any NUL inside. Caller frees. NULL where the input says so.
 */
char *feed_text(struct feed *feed, size_t *len_r);

#endif
