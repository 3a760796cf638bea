/* SPDX-License-Identifier: MIT */
/*
 * The configured database hosts, in order of preference: which one to connect
 * to next, how long to leave one alone that failed, and the log lines of each
 * trouble: when it starts, when it ends, and once between them when what began
 * as a lost connection turns out to be for an admin to mend.
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
 * The first host that is not in trouble, else the one whose turn has come
 * longest ago, so that those that keep silent do not take each other's turns:
 * true and its index; else false and the milliseconds until one may be tried.
 */
bool host_list_pick(const struct host_list *list, size_t *index_r, unsigned *wait_ms_r);
/* May this host be tried now? */
bool host_list_may_try(const struct host_list *list, size_t index);

/* A statement got no answer there in time: try the others first for a while. */
void host_list_suspect(struct host_list *list, size_t index);
/* Nobody can connect there, or its tables cannot be read. */
void host_list_failed(struct host_list *list, size_t index, const struct conn_error *error);
void host_list_works(struct host_list *list, size_t index);

#endif
