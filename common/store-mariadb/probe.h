/* SPDX-License-Identifier: MIT */
/*
 * Back to the first host: while a worse one is in use, looks again and again whether a
 * better one works.
 */
#ifndef MUM_STORE_MARIADB_PROBE_H
#define MUM_STORE_MARIADB_PROBE_H

#include <stddef.h>

#include "common/store-mariadb/slot.h"

struct probe;

/* That host works again. */
typedef void probe_works_fn(size_t host, void *arg);

/* shared outlives the probe. */
struct probe *probe_new(const struct slot_shared *shared, probe_works_fn *fn, void *arg);
void probe_free(struct probe **probe);	/* sets NULL; NULL is fine */

/* Hosts before worst in mum.conf are better than one in use. 0: there are none. */
void probe_watch(struct probe *probe, size_t worst);

#endif
