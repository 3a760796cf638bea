/* SPDX-License-Identifier: MIT */
/*
 * The core in use (service->core), the one that a reload is testing, and those
 * that were replaced, each until the last of its lookups is answered.
 */
#ifndef MUM_CORES_H
#define MUM_CORES_H

#include "common/stats.h"
#include "postfix-policy/session.h"

struct cores;

/*
 * After a reload. now is NULL when it failed, and the old configuration stays. again:
 * another one follows at once, that was asked for while this one was under way.
 */
typedef void cores_reloaded_fn(const struct mum_config *before,
			       const struct mum_config *now, bool again, void *arg);

/*
 * Takes over the configuration and sets service->core. All else outlives it. fn runs
 * for each reload.
 */
struct cores *cores_new(struct service *service, const char *config_path,
			struct mum_config **config, cores_reloaded_fn *fn, void *arg);
/* Cancels all lookups. Sets NULL, service->core too; NULL is fine. */
void cores_free(struct cores **cores);

/*
 * Builds a core from the file, has it read a table, and swaps it in; the file may be
 * refused inside this call. While that is under way, any number of calls ask for one
 * more behind it, for the file may have changed since it was read.
 */
void cores_reload(struct cores *cores);

/* Of each core that lives, *count_r of them; caller frees the list. */
const struct mum_stats **cores_stats(const struct cores *cores, size_t *count_r);

#endif
