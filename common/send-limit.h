/* SPDX-License-Identifier: MIT */
/* One entry of policy.send_limits in mum-policy(5): "LOGIN RATE/PERIOD BURST". Pure. */
#ifndef MUM_SEND_LIMIT_H
#define MUM_SEND_LIMIT_H

#include <stdbool.h>
#include <stddef.h>

/* The limits of the options send_rate, send_burst and send_period, too. */
enum {
	SEND_COUNT_MAX = 1000000,	/* recipients */
	SEND_PERIOD_MIN = 60000,	/* ms */
	SEND_PERIOD_MAX = 86400000
};

struct send_limit {
	const char *login;	/* inside the text, as it is written there; may hold blanks */
	size_t login_len;
	unsigned rate, period, burst;	/* recipients; ms; recipients */
};

/* False with *why_r (static) when it is no limit. */
bool send_limit_parse(const char *text, struct send_limit *limit_r, const char **why_r);

#endif
