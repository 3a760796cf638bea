/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

static unsigned long reached;

void fuzz_broken(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	abort();
}

void fuzz_reached(void)
{
	reached++;
}

static void want_reached(void)
{
	if (reached == 0) {
		fputs("no input reached the end of the parser\n", stderr);
		abort();
	}
}

/* A process that merges runs no input itself, but in others, some of them each. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	for (int i = 1; i < *argc; i++) {
		if (strncmp((*argv)[i], "-merge", strlen("-merge")) == 0)
			return 0;
	}
	return atexit(want_reached);
}

unsigned feed_byte(struct feed *feed)
{
	if (feed->size == 0)
		return 0;
	feed->size--;
	return *feed->data++;
}

char *feed_text(struct feed *feed, size_t *len_r)
{
	size_t len = feed_byte(feed);
	char *text;

	*len_r = 0;
	if (len == 255)
		return NULL;
	if (len > feed->size)
		len = feed->size;
	text = xmalloc(len + 1);
	if (len > 0)
		memcpy(text, feed->data, len);
	text[len] = '\0';
	feed->data += len;
	feed->size -= len;
	*len_r = len;
	return text;
}
