/* SPDX-License-Identifier: MIT */
/*
 * The configured database hosts, in order of preference. Decides which one to connect
 * to next, and how long to leave a failed one alone. Logs when the failure of a host
 * starts and when it ends; and once in between, if what began as a lost connection
 * turns out to need an admin.
 */
#ifndef MUM_STORE_MARIADB_HOST_LIST_H
#define MUM_STORE_MARIADB_HOST_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/host.h"
#include "common/store-mariadb/conn.h"

struct host_list;

/* names is borrowed and outlives the list. */
struct host_list *host_list_new(const struct mum_host *host, const struct mum_list *names);
void host_list_free(struct host_list **list);	/* sets NULL; NULL is fine */

size_t host_list_count(const struct host_list *list);
const char *host_list_name(const struct host_list *list, size_t index);

/*
 * Picks the first host that works; else, among those that may be tried again, the one
 * that has waited longest, so that two silent hosts do not keep a third from its turn.
 * True sets the index; false sets the milliseconds until a host may be tried.
 */
bool host_list_pick(const struct host_list *list, size_t *index_r, unsigned *wait_ms_r);
/* May this host be tried now? */
bool host_list_may_try(const struct host_list *list, size_t index);

/* A statement got no answer there in time: try the others first for a while. */
void host_list_suspect(struct host_list *list, size_t index);
/* We could not connect to it, or could not read its tables. */
void host_list_failed(struct host_list *list, size_t index, const struct conn_error *error);
void host_list_works(struct host_list *list, size_t index);

#endif
