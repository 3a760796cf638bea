/* SPDX-License-Identifier: MIT */
/* What a decision asks: a core and a quota service, which the test plays. */
#ifndef DECISION_WORLD_H
#define DECISION_WORLD_H

#include "common/core.h"
#include "postfix-policy/quota/check.h"

enum { ASKED_MAX = 16 };

struct mum_lookup {
	struct mum_core *core;
	unsigned questions, deadline;
	char *key;
	mum_answer_fn *fn;
	void *arg;
};

/* Instead of core.c and lookup.c. */
struct mum_core {
	struct mum_config config;
	struct mum_lookup *asked[ASKED_MAX];	/* neither answered nor cancelled, oldest first */
	size_t count;
	bool at_once;	/* it answers as from the cache */
};

/*
 * What MUM has in its domain "d": anna@d, who owns her address; only@d, send-only; dead@d, an
 * alias that leads nowhere. Nobody answers about trouble@d and a domain "trouble".
 */
void world_answer(struct mum_lookup *lookup);

/* Instead of quota/check.c. */
struct quota_check {
	bool down;
	struct quota_verdict verdict;	/* what it will say */
	size_t waiting;			/* 1: somebody has asked */
	char *recipient;
	uint64_t size;
	quota_check_fn *fn;
	void *arg;
};

extern struct quota_check service;

void world_answer_check(void);

#endif
