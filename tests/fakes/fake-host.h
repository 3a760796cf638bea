/* SPDX-License-Identifier: MIT */
/*
 * A host (common/host.h) that a test drives by hand: nothing happens until the
 * test turns the loop, moves the clock or makes a descriptor ready.
 */
#ifndef FAKE_HOST_H
#define FAKE_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include "common/host.h"
#include "common/threads.h"

enum { FAKE_HOST_LOG_MAX = 64 };	/* lines kept; a test that logs more is wrong */

struct fake_host {
	struct mum_host host;		/* what the code under test gets */
	struct threads threads;		/* never guarded: it ends with the test */
	uint64_t now_ms;
	time_t wall;
	struct mum_timer *timers;	/* by due time, equal ones in order of arming */
	struct mum_watch *watches;
	size_t log_count;
	struct {
		enum mum_log_level level;
		char *text;
	} log[FAKE_HOST_LOG_MAX];
};

/* The clock starts at 1,000,000 ms; the wall clock at 2026-01-01 00:00:00 UTC. */
void fake_host_init(struct fake_host *fake);
/* What is still armed or watched is freed; count it before if it matters. */
void fake_host_free(struct fake_host *fake);

/* One turn of the loop: the timers due now, not those that they arm. Returns how many. */
size_t fake_host_turn(struct fake_host *fake);
/* Turns until nothing is due now; at most `turns` times. Returns how many ran. */
size_t fake_host_settle(struct fake_host *fake, size_t turns);
/* Moves both clocks on, running each timer at its own time. */
void fake_host_advance(struct fake_host *fake, uint64_t ms);
/* Runs the watch of fd if it waits for one of the events; false if none does. */
bool fake_host_ready(struct fake_host *fake, int fd, unsigned events);
/* The descriptor of the oldest watch, or -1. */
int fake_host_watched(const struct fake_host *fake);

size_t fake_host_timers(const struct fake_host *fake);
size_t fake_host_watches(const struct fake_host *fake);

/* How many lines of that level hold the text. */
size_t fake_host_logged(const struct fake_host *fake, enum mum_log_level level,
			const char *text);
void fake_host_clear_log(struct fake_host *fake);

#endif
