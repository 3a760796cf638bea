/* SPDX-License-Identifier: MIT */
#include "tests/exhaustive/exhaustive.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

enum { LENGTH_MAX = 16, SHOWN_MAX = 20 };

static unsigned long long strings, differences;

/* Writes the letters in front of end, which is a NUL, and calls fn. */
static void show(const struct letter *letters, const unsigned *chosen, unsigned length,
		 char *end, string_fn *fn, void *arg)
{
	char *at = end;

	for (unsigned i = length; i-- > 0;) {
		const struct letter *letter = &letters[chosen[i]];

		at -= letter->len;
		memcpy(at, letter->bytes, letter->len);
	}
	strings++;
	fn(at, (size_t)(end - at), arg);
}

/* The next of the same length, as an odometer counts; false after the last. */
static bool count_on(unsigned *chosen, unsigned length, size_t letters_count)
{
	while (length-- > 0) {
		if (++chosen[length] < letters_count)
			return true;
		chosen[length] = 0;
	}
	return false;
}

void each_string(const struct letter *letters, size_t count, unsigned max, string_fn *fn,
		 void *arg)
{
	unsigned chosen[LENGTH_MAX] = { 0 };
	size_t longest = 0;
	char *block;

	if (max > LENGTH_MAX)
		abort();
	for (size_t i = 0; i < count; i++) {
		if (letters[i].len > longest)
			longest = letters[i].len;
	}
	block = xcalloc(1, longest * max + 1);
	for (unsigned length = 0; length <= max; length++) {
		do
			show(letters, chosen, length, block + longest * max, fn, arg);
		while (count_on(chosen, length, count));
	}
	free(block);
}

static void print_bytes(const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)bytes[i];

		if (byte < 0x20 || byte >= 0x7f || byte == '\\')
			fprintf(stderr, "\\x%02x", byte);
		else
			fputc(byte, stderr);
	}
}

void differ(const char *bytes, size_t len, const char *format, ...)
{
	va_list args;

	if (differences++ >= SHOWN_MAX)
		return;
	fputs("differs: ", stderr);
	print_bytes(bytes, len);
	fputs(": ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

unsigned letters_max(int argc, char **argv, unsigned usual, unsigned long_run)
{
	return argc > 1 && strcmp(argv[1], "--long") == 0 ? long_run : usual;
}

int exhaustive_end(const char *subject)
{
	printf("%s: %llu strings, %llu differ\n", subject, strings, differences);
	return differences == 0 ? 0 : 1;
}
