/* SPDX-License-Identifier: MIT */
/* Is a service down? A line in the log when it begins and when it ends, and a clock between. */
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

/* The service at that path is down; why is for the log. Nothing new if it is known. */
void quota_breaker_open(struct quota_breaker *breaker, const char *path, const char *why);
void quota_breaker_close(struct quota_breaker *breaker, const char *path);
/* Closes it without a word. */
void quota_breaker_reset(struct quota_breaker *breaker);

#endif
