/* SPDX-License-Identifier: MIT */
/* The core as a whole: configuration, store and lookups of one mum.conf. */
#ifndef MUM_CORE_H
#define MUM_CORE_H

#include "common/config.h"
#include "common/host.h"
#include "common/lookup.h"

struct mum_core;

/*
 * Takes over the configuration. The core connects when the first question comes. The
 * host outlives the core.
 */
struct mum_core *mum_core_new(const struct mum_host *host, struct mum_config **config,
			      enum mum_role role);

/* Cancels what is in flight. Sets NULL; NULL is fine. Not from inside an answer. */
void mum_core_free(struct mum_core **core);
/* Has everything that was asked been answered? */
bool mum_core_is_idle(const struct mum_core *core);

/* Valid as long as the core. */
const struct mum_config *mum_core_config(const struct mum_core *core);

/*
 * The one door: asks questions about a key (copied), as a set of MUM_ASK(). All of
 * them must take the same kind of key: MUM_DOMAIN a domain, MUM_TLS a next hop,
 * MUM_CREDENTIAL and MUM_USER a login, MUM_USERS an id in decimal, the others a mail
 * address. fn runs once, later, from the loop and never from inside this call, at the
 * latest deadline_ms from now; with mum_lookup_cancel(), not at all. The handle is gone
 * when fn is called. With MUM_AT_ONCE in the set, fn may run inside this call, which then
 * returns NULL.
 */
struct mum_lookup *mum_core_ask(struct mum_core *core, unsigned questions,
				const char *key, size_t key_len, unsigned deadline_ms,
				mum_answer_fn *fn, void *arg);
/* Asks a question that only the database can answer: MUM_FOUND if it does. */
struct mum_lookup *mum_core_probe(struct mum_core *core, unsigned deadline_ms,
				  mum_answer_fn *fn, void *arg);

/* The numbers so far; borrowed, and they keep changing. */
const struct mum_stats *mum_core_stats(const struct mum_core *core);
/* False while the database is known to give no answers. */
bool mum_core_is_up(const struct mum_core *core);

#endif
