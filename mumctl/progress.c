/* SPDX-License-Identifier: MIT */
#include "mumctl/progress.h"

#include <stdio.h>
#include <unistd.h>

enum { STEP = 1000 };

struct progress progress_new(bool json)
{
	return (struct progress){ .wanted = !json && isatty(STDERR_FILENO) != 0 };
}

void progress_show(struct progress *progress, const char *what, size_t count, size_t all)
{
	if (!progress->wanted || count % STEP != 0)
		return;
	fprintf(stderr, "\rmumctl: %s: %zu", what, count);
	if (all > 0)
		fprintf(stderr, " of %zu", all);
	progress->shown = true;
}

void progress_clear(struct progress *progress)
{
	if (progress->shown)
		fprintf(stderr, "\r%60s\r", "");
	progress->shown = false;
}
