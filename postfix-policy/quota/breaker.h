/* SPDX-License-Identifier: MIT */
/* Remembers that a service is down, logs when that begins and ends, and runs the probes. */
#ifndef MUM_QUOTA_BREAKER_H
#define MUM_QUOTA_BREAKER_H

#include <stdbool.h>

#include "common/host.h"

/* If all but the first three are zero, the service is up. */
struct quota_breaker {
	const struct mum_host *host;
	mum_timer_fn *probe;	/* called with arg once a second while it is down */
	void *arg;
	bool down;
	uint64_t since;		/* host_now(), when it went down */
	struct mum_timer *timer;
};

/* The service at that path is down; why is for the log. Does nothing if it was down. */
void quota_breaker_open(struct quota_breaker *breaker, const char *path, const char *why);
void quota_breaker_close(struct quota_breaker *breaker, const char *path);
/* Says that the service is up, and logs nothing. */
void quota_breaker_reset(struct quota_breaker *breaker);

#endif
