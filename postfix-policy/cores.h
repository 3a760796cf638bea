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

/* Takes over the configuration and sets service->core. All else outlives it. */
struct cores *cores_new(struct service *service, const char *config_path,
			struct mum_config **config);
/* Cancels all lookups. Sets NULL, service->core too; NULL is fine. */
void cores_free(struct cores **cores);

/* now is NULL when the reload failed, and the old configuration stays. */
typedef void cores_reloaded_fn(const struct mum_config *before,
			       const struct mum_config *now, void *arg);
/*
 * Builds a core from the file, has it read a table, and swaps it in. fn runs once,
 * perhaps from inside this call. When one is under way already, another follows it,
 * for the file may have changed since it was read.
 */
void cores_reload(struct cores *cores, cores_reloaded_fn *fn, void *arg);

/* Of each core that lives, *count_r of them; caller frees the list. */
const struct mum_stats **cores_stats(const struct cores *cores, size_t *count_r);

#endif
