/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/programs.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "mumctl/run-lines.h"

static struct feed *printed;

void programs_print(struct feed *feed)
{
	printed = feed;
}

char *feed_part(struct feed *feed)
{
	size_t len = strnlen((const char *)feed->data, feed->size);
	char *part = xstrndup((const char *)feed->data, len);

	len += len < feed->size;
	feed->data += len;
	feed->size -= len;
	return part;
}

int run_lines(const char *const *argv, run_line_fn *fn, void *arg)
{
	char *output = feed_part(printed), *rest = output, *end;
	int status = 0;

	HOLDS(argv[0] != NULL);
	/* As run-lines.c, without a last line that has no end. */
	for (; (end = strchr(rest, '\n')) != NULL; rest = end + 1) {
		size_t failed = *rest == '!';
		char *line = xstrndup(rest + failed, (size_t)(end - rest) - failed);

		status |= (int)failed;
		fn(line, failed != 0, arg);
		free(line);
	}
	free(output);
	return status;
}
