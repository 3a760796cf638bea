/* SPDX-License-Identifier: MIT */
#include "common/stats.h"

const unsigned mum_bucket_bounds[MUM_BUCKETS] = {
	250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000,
	2500000, 5000000
};

void mum_histogram_add(struct mum_histogram *histogram, uint64_t us)
{
	size_t bucket = 0;

	while (bucket < MUM_BUCKETS && us > mum_bucket_bounds[bucket])
		bucket++;
	histogram->counts[bucket]++;
	histogram->sum_us += us;
}
