/* SPDX-License-Identifier: MIT */
/* Remembers that a service is down, logs when that begins and ends, and sets the probe's timer. */
#ifndef MUM_QUOTA_BREAKER_H
#define MUM_QUOTA_BREAKER_H

#include <stdbool.h>

#include "common/host.h"

/* Zeroed but for the first three it says that the service is up. */
struct quota_breaker {
	const struct mum_host *host;
	mum_timer_fn *probe;	/* called with arg once a second while it is down */
	void *arg;
	bool down;
	uint64_t since;		/* host_now(), when it went down */
	struct mum_timer *timer;
};

/* Notes that the service at that path is down; why is for the log. Does nothing if it is known. */
void quota_breaker_open(struct quota_breaker *breaker, const char *path, const char *why);
void quota_breaker_close(struct quota_breaker *breaker, const char *path);
/* Says that the service is up, and logs nothing. */
void quota_breaker_reset(struct quota_breaker *breaker);

#endif
