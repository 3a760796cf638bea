/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "postfix-policy/send/gcra.h"

enum { MINUTE = 60000 };	/* ms */

/* 6 in a minute, 4 at once: one comes back every 10 s. */
static const struct gcra six = { 10000000, 4 };

static void test_limits(void **state)
{
	static const struct {
		const char *name;
		unsigned rate, period, burst;
		uint64_t interval;
	} rows[] = {
		{ "the defaults", 200, 3600000, 500, 18000000 },
		{ "a rate that does not divide the period", 7, MINUTE, 1, 8571428 },
		{ "the shortest interval", 1000000, MINUTE, 1000000, 60 },
		{ "never none at all", 4000000000U, 1, 1, 1 },
		{ "the longest", 1, 86400000, 1000000, 86400000000 },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct gcra gcra = gcra_new(row->rate, row->period, row->burst);

		WANT_NUMBER(row->name, gcra.interval, row->interval);
		WANT_NUMBER(row->name, gcra_left(&gcra, 0, 0), row->burst);
	}
}

static void test_take(void **state)
{
	static const struct {
		const char *name;
		uint64_t now, tat, n;
		bool taken;
		uint64_t after;		/* the TAT */
	} rows[] = {
		{ "one", 0, 0, 1, true, 10000000 },
		{ "the burst", 0, 0, 4, true, 40000000 },
		{ "one more than the burst", 0, 0, 5, false, 0 },
		{ "most of it, then the rest", 0, 30000000, 1, true, 40000000 },
		{ "most of it, then too many", 0, 30000000, 2, false, 30000000 },
		{ "all is taken", 0, 40000000, 1, false, 40000000 },
		{ "a microsecond early", 9999999, 40000000, 1, false, 40000000 },
		{ "just in time", 10000000, 40000000, 1, true, 50000000 },
		{ "long idle is no credit", 500000000, 40000000, 5, false, 40000000 },
		{ "long idle is as good as new", 500000000, 40000000, 4, true, 540000000 },
		{ "none", 0, 40000000, 0, true, 40000000 },
		{ "no sum overflows", 0, 0, UINT64_MAX, false, 0 },
		{ "a TAT of a longer limit", 0, UINT64_MAX, 1, false, UINT64_MAX },
		{ "a clock of centuries", UINT64_MAX / 4, 0, 1, true,
		  UINT64_MAX / 4 + 10000000 },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		uint64_t tat = row->tat;

		WANT_NUMBER(row->name, gcra_take(&six, row->now, row->n, &tat), row->taken);
		WANT_NUMBER(row->name, tat, row->after);
	}
}

static void test_another_limit(void **state)
{
	static const struct {
		const char *name;
		struct gcra to;
		uint64_t now, tat, want;
	} rows[] = {
		{ "the same", { 10000000, 4 }, 0, 35000001, 35000001 },
		{ "a smaller burst", { 10000000, 2 }, 0, 35000001, 20000000 },
		{ "a larger burst", { 10000000, 9 }, 0, 35000001, 35000001 },
		{ "ten times the rate", { 1000000, 9 }, 0, 30000000, 3000000 },
		{ "a part is a whole one", { 1000000, 9 }, 0, 30000001, 4000000 },
		{ "a tenth of the rate", { 100000000, 9 }, 0, 30000000, 300000000 },
		{ "no more than the burst", { 100000000, 2 }, 0, 30000000, 200000000 },
		{ "all has drained", { 1000000, 9 }, 50000000, 30000000, 30000000 },
		{ "as of now", { 1000000, 9 }, 30000000, 30000000, 30000000 },
		{ "from far away", { 1000000, 9 }, 7, UINT64_MAX, 9000007 },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		WANT_NUMBER(row->name, gcra_convert(&six, &row->to, row->now, row->tat),
			    row->want);
}

/* A bucket that loses one in every interval, counted in intervals. */
struct bucket {
	unsigned level;
	uint64_t at;
};

static bool bucket_take(struct bucket *bucket, unsigned burst, uint64_t now, unsigned n)
{
	uint64_t gone = now - bucket->at;

	bucket->level = gone > bucket->level ? 0 : bucket->level - (unsigned)gone;
	bucket->at = now;
	if (bucket->level + n > burst)
		return false;
	bucket->level += n;
	return true;
}

enum { STEPS = 4, CHOICES = 20, RUNS = CHOICES * CHOICES * CHOICES * CHOICES };

/* Every row of four events; an event is one of four pauses and one of five takes. */
static void test_it_is_a_bucket(void **state)
{
	(void)state;
	for (unsigned burst = 1; burst <= 3; burst++) {
		const struct gcra gcra = { 1, burst };

		for (unsigned run = 0; run < RUNS; run++) {
			struct bucket bucket = { 0, 0 };
			uint64_t now = 0, tat = 0;
			unsigned events = run;

			for (int i = 0; i < STEPS; i++, events /= CHOICES) {
				unsigned n = events % CHOICES / 4;

				now += events % 4;
				WANT_NUMBER("as a bucket", gcra_take(&gcra, now, n, &tat),
					    bucket_take(&bucket, burst, now, n));
				WANT_NUMBER("what is left", gcra_left(&gcra, now, tat),
					    burst - bucket.level);
			}
		}
	}
}

/* In any period at most burst + rate pass, and that many do. */
static void test_the_promise(void **state)
{
	const struct gcra gcra = gcra_new(100, 3600000, 100);
	uint64_t tat = 0, now = 0;
	unsigned first = 0, second = 0;

	(void)state;
	for (; now < 3600000000ULL; now += 1000000)
		first += gcra_take(&gcra, now, 1, &tat);
	for (; now < 7200000000ULL; now += 1000000)
		second += gcra_take(&gcra, now, 1, &tat);
	WANT_NUMBER("the first hour", first, 199);
	WANT_NUMBER("the next", second, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_limits),
		UNIT_TEST(test_take),
		UNIT_TEST(test_another_limit),
		UNIT_TEST(test_it_is_a_bucket),
		UNIT_TEST(test_the_promise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
