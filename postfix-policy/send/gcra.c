/* SPDX-License-Identifier: MIT */
#include "postfix-policy/send/gcra.h"

struct gcra gcra_new(unsigned rate, unsigned period_ms, unsigned burst)
{
	uint64_t interval = (uint64_t)period_ms * 1000 / rate;

	return (struct gcra){ interval > 0 ? interval : 1, burst };
}

uint64_t gcra_latest(const struct gcra *gcra, uint64_t now)
{
	return now + gcra->interval * gcra->burst;
}

bool gcra_take(const struct gcra *gcra, uint64_t now, uint64_t n, uint64_t *tat)
{
	if (n > gcra_left(gcra, now, *tat))
		return false;
	*tat = (*tat > now ? *tat : now) + n * gcra->interval;
	return true;
}

uint64_t gcra_left(const struct gcra *gcra, uint64_t now, uint64_t tat)
{
	uint64_t latest = gcra_latest(gcra, now);

	if (tat >= latest)
		return 0;
	return (latest - (tat > now ? tat : now)) / gcra->interval;
}

uint64_t gcra_convert(const struct gcra *from, const struct gcra *to, uint64_t now,
		      uint64_t tat)
{
	uint64_t latest = gcra_latest(to, now), units;

	/* With equal intervals nothing is rounded, because the errors of reloads would add up. */
	if (tat > now && from->interval != to->interval) {
		units = (tat - now - 1) / from->interval + 1;
		tat = units < to->burst ? now + units * to->interval : latest;
	}
	return tat < latest ? tat : latest;
}
