/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "common/stats.h"

static void test_bounds_grow(void **state)
{
	(void)state;
	for (size_t i = 1; i < MUM_BUCKETS; i++)
		WANT("one above the other", mum_bucket_bounds[i] > mum_bucket_bounds[i - 1]);
}

static void test_a_value_is_in_the_first_bucket_that_holds_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < MUM_BUCKETS; i++) {
		struct mum_histogram histogram = { .sum_us = 0 };

		mum_histogram_add(&histogram, mum_bucket_bounds[i]);
		WANT_NUMBER("at its bound", histogram.counts[i], 1);
		mum_histogram_add(&histogram, mum_bucket_bounds[i] + 1);
		WANT_NUMBER("a microsecond above", histogram.counts[i], 1);
		WANT_NUMBER("a microsecond above", histogram.counts[i + 1], 1);
		WANT_NUMBER("the sum", histogram.sum_us, 2 * mum_bucket_bounds[i] + 1);
	}
}

static void test_extremes(void **state)
{
	struct mum_histogram histogram = { .sum_us = 0 };

	(void)state;
	mum_histogram_add(&histogram, 0);
	WANT_NUMBER("nothing is in the first", histogram.counts[0], 1);
	mum_histogram_add(&histogram, UINT64_MAX / 2);
	WANT_NUMBER("years are in the last", histogram.counts[MUM_BUCKETS], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_bounds_grow),
		UNIT_TEST(test_a_value_is_in_the_first_bucket_that_holds_it),
		UNIT_TEST(test_extremes),
	};

	return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
