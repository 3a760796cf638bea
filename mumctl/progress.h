/* SPDX-License-Identifier: MIT */
/* Shows on a terminal how far a long run is, in one line that is overwritten each time. */
#ifndef MUM_CTL_PROGRESS_H
#define MUM_CTL_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

struct progress {
	bool wanted;		/* standard error is a terminal */
	bool shown;		/* the line stands on the terminal */
};

struct progress progress_new(bool json);
/* Shows each thousandth count as "what: count", or "what: count of all" if all > 0. */
void progress_show(struct progress *progress, const char *what, size_t count, size_t all);
/* Call it before anything else is printed. */
void progress_clear(struct progress *progress);

#endif
