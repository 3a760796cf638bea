/* SPDX-License-Identifier: MIT */
/*
 * The generic cell rate algorithm: a token bucket in one number, the theoretical arrival
 * time (TAT), which is when all that was taken has drained. Pure; times are microseconds
 * of a clock that never goes back.
 */
#ifndef MUM_GCRA_H
#define MUM_GCRA_H

#include <stdbool.h>
#include <stdint.h>

/* rate per period on average, and at most burst at once. */
struct gcra {
	uint64_t interval;	/* what one unit adds to the TAT */
	uint64_t burst;
};

/* All three are at least 1. No sum overflows with a burst and a rate up to 2^32. */
struct gcra gcra_new(unsigned rate, unsigned period_ms, unsigned burst);

/* Takes n units, or returns false and leaves *tat. A TAT in the past counts as now. */
bool gcra_take(const struct gcra *gcra, uint64_t now, uint64_t n, uint64_t *tat);

/* How many units could be taken now. */
uint64_t gcra_left(const struct gcra *gcra, uint64_t now, uint64_t tat);

/* The latest TAT that is possible now. */
uint64_t gcra_latest(const struct gcra *gcra, uint64_t now);

/* The TAT under another limit: as many units still have to drain, at most its burst. */
uint64_t gcra_convert(const struct gcra *from, const struct gcra *to, uint64_t now,
		      uint64_t tat);

#endif
