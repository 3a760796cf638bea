/* SPDX-License-Identifier: MIT */
/* The core as a whole: configuration, store and lookups of one mum.conf. */
#ifndef MUM_CORE_H
#define MUM_CORE_H

#include "common/config.h"
#include "common/host.h"
#include "common/lookup.h"

struct mum_core;

/*
 * Takes over the configuration. Connects when the first question comes. The
 * host outlives the core.
 */
struct mum_core *mum_core_new(const struct mum_host *host, struct mum_config **config,
			      enum mum_role role);

/* Cancels what is in flight. Sets NULL; NULL is fine. Not from inside an answer. */
void mum_core_free(struct mum_core **core);
/* Has everything that was asked been answered? */
bool mum_core_is_idle(const struct mum_core *core);

const struct mum_config *mum_core_config(const struct mum_core *core);
/* For mum_lookup_start(); borrowed. */
struct lookups *mum_core_lookups(struct mum_core *core);

/* What it has counted; borrowed, and counted on. */
const struct mum_stats *mum_core_stats(const struct mum_core *core);
/* False while the database is known to give no answers. */
bool mum_core_is_up(const struct mum_core *core);
/*
 * Has the database itself read a real table: MUM_FOUND if it does. As
 * mum_lookup_start() in all else.
 */
struct mum_lookup *mum_core_probe(struct mum_core *core, unsigned deadline_ms,
				  mum_answer_fn *fn, void *arg);

/* NULL error: the store answers. Else why not; gone when the callback returns. */
typedef void mum_core_test_fn(const char *error, void *arg);
/*
 * Reads a real table. fn runs once, later, from the loop, unless the core is
 * freed first.
 */
void mum_core_test(struct mum_core *core, mum_core_test_fn *fn, void *arg);

#endif
