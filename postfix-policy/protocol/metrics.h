/* SPDX-License-Identifier: MIT */
/*
 * What mumd counts, and the page that shows it, in Prometheus' text format (0.0.4).
 * Pure: numbers in, text out. A label has few values, never an address.
 * doc/mumd-monitoring.8 lists the names.
 */
#ifndef MUM_METRICS_H
#define MUM_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/stats.h"
#include "postfix-policy/protocol/counts.h"
#include "postfix-policy/protocol/quota-status.h"
#include "postfix-policy/protocol/socketmap.h"

/* Counted since the start; begins as zeroed memory. */
struct metrics {
	uint64_t requests[SOCKETMAP_MAPS][SOCKETMAP_RESULTS];
	uint64_t unknown_maps;		/* requests for a map that does not exist */
	struct decision_counts decisions;
	struct send_counts send;
	uint64_t reloads, failed_reloads;
	bool last_reload_failed;
	struct mum_stats retired;	/* sums of cores that are gone; see metrics_retire() */
};

/* Adds the counts of a core that is about to be freed to the sums. */
void metrics_retire(struct metrics *metrics, const struct mum_stats *stats);
/* Frees what metrics_retire() allocated. */
void metrics_clear(struct metrics *metrics);

struct metrics_process {
	double cpu_seconds;
	size_t virtual_bytes, resident_bytes, open_fds;
	uint64_t max_fds;
	double start_time;		/* seconds since the epoch */
};

/* The present state, which the page shows, too. */
struct metrics_now {
	const struct mum_stats *const *cores;	/* of every living core */
	size_t cores_count;
	bool database_up;
	struct client_counts clients;
	struct {
		size_t logins, limited;
		uint64_t evicted;
		bool saved;
	} senders;			/* zero while policy.send is off, except saved */
	struct quota_counts quota;
	struct metrics_process process;
};

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

void metrics_put(struct buf *out, const struct metrics *metrics,
		 const struct metrics_now *now);

#endif
