/* SPDX-License-Identifier: MIT */
/* Verdicts of readings in every combination: the strictest of those that count. */
#include "common/readings.h"
#include "common/rules.h"
#include "tests/fuzz/fuzz.h"

static const enum mum_status statuses[] = { MUM_FOUND, MUM_NOT_FOUND, MUM_TEMPFAIL,
					    MUM_MISCONFIGURED };

static struct judged judged_from(unsigned byte)
{
	struct judged judged = { byte % 2 == 1, MUM_FOUND, (int)(byte / 2 % 4),
				 statuses[byte / 8 % 4] };

	if (byte >= 0xc0)
		judged.status = byte % 4 == 0 ? MUM_TEMPFAIL : MUM_MISCONFIGURED;
	return judged;
}

/* Is this reading one that Postfix may come to? MUM's domains end the way. */
static int may_come(const struct judged *readings, size_t at)
{
	for (size_t i = 1; i <= at; i++) {
		if (readings[i].if_local && readings[i - 1].domain == MUM_FOUND)
			return 0;
	}
	return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct judged readings[READINGS_MAX];
	size_t count = size < READINGS_MAX ? size : READINGS_MAX;
	int verdict = -1, reached = 0, stricter;

	for (size_t i = 0; i < count; i++)
		readings[i] = judged_from(data[i]);
	if (count == 0 || rule_strictest(readings, count, &verdict) != MUM_FOUND)
		return 0;
	fuzz_reached();
	for (size_t i = 0; i < count; i++) {
		if (!may_come(readings, i))
			continue;
		/* Nothing that counts is without an answer, or stricter. */
		HOLDS(readings[i].status == MUM_FOUND && readings[i].verdict <= verdict);
		HOLDS(i == 0 || !readings[i].if_local ||
		      readings[i - 1].domain == MUM_NOT_FOUND);
		reached = reached || readings[i].verdict == verdict;
	}
	HOLDS(reached);
	/* One more reading never lets pass what was refused without it. */
	for (size_t fewer = 1; fewer < count; fewer++)
		HOLDS(rule_strictest(readings, fewer, &stricter) == MUM_FOUND &&
		      stricter <= verdict);
	return 0;
}
