/* SPDX-License-Identifier: MIT */
/*
 * The core in use (service->core), the one that a reload is testing, and replaced
 * ones, which live until their last lookup is answered.
 */
#ifndef MUM_CORES_H
#define MUM_CORES_H

#include "common/stats.h"
#include "postfix-policy/session.h"

struct cores;

/*
 * Called after each reload. now is NULL when it failed; then the old configuration stays.
 * again: another reload follows at once, because somebody asked for it during this one.
 */
typedef void cores_reloaded_fn(const struct mum_config *before,
			       const struct mum_config *now, bool again, void *arg);

/*
 * Takes over the configuration and sets service->core. The other arguments outlive the
 * cores. fn runs for each reload.
 */
struct cores *cores_new(struct service *service, const char *config_path,
			struct mum_config **config, cores_reloaded_fn *fn, void *arg);
/* Cancels all lookups. Sets NULL, service->core too; NULL is fine. */
void cores_free(struct cores **cores);

/*
 * Builds a core from the file, has it read a table, and swaps it in. A bad file is
 * refused inside this call. Calls during a reload, however many, ask for one more
 * reload after it, because the file may have changed since it was read.
 */
void cores_reload(struct cores *cores);

/* The numbers of each living core, *count_r of them; the caller frees the list. */
const struct mum_stats **cores_stats(const struct cores *cores, size_t *count_r);

#endif
