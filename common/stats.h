/* SPDX-License-Identifier: MIT */
/*
 * What a core has counted since it was made, and what it holds now: plain
 * numbers, which lookup.c, fetch.c and the stores fill in. The program decides how to
 * show them.
 */
#ifndef MUM_STATS_H
#define MUM_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error-class.h"
#include "common/facts.h"

enum { MUM_BUCKETS = 14 };

/* Upper bounds of the buckets, in microseconds. The bucket after the last has none. */
extern const unsigned mum_bucket_bounds[MUM_BUCKETS];

struct mum_histogram {
	uint64_t counts[MUM_BUCKETS + 1];	/* each value in one bucket only */
	uint64_t sum_us;
};

void mum_histogram_add(struct mum_histogram *histogram, uint64_t us);

/* The numbers of one kind of question. */
struct mum_question_stats {
	uint64_t hits;		/* facts came from the cache, stale ones too */
	uint64_t misses;	/* the database was asked, also when there is no cache */
	uint64_t joined;	/* misses that waited for another lookup's question */
	/* How long misses took, from the question to the facts, or to giving up. */
	struct mum_histogram duration;
};

enum mum_connection { MUM_CONNECTING, MUM_IDLE, MUM_BUSY, MUM_CONNECTION_STATES };

/* The numbers of one entry of database.hosts, or of SQLite's file. */
struct mum_host_stats {
	const char *name;	/* as mum.conf has it */
	size_t connections[MUM_CONNECTION_STATES];	/* now */
	uint64_t connects;	/* connections made */
	uint64_t errors[ERROR_CLASSES];
};

struct mum_stats {
	struct mum_question_stats questions[MUM_QUESTIONS];
	uint64_t stale;		/* answers with facts older than cache.ttl */
	uint64_t timeouts;	/* lookups that reached their deadline */
	size_t in_flight;	/* now: lookups without an answer */
	size_t cached;		/* now: entries of the cache */
	uint64_t answered_ms;	/* host_now() at the database's last answer; 0: never */
	size_t hosts_count;
	struct mum_host_stats *hosts;
};

#endif
