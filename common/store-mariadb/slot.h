/* SPDX-License-Identifier: MIT */
/*
 * The place of one connection, full or empty: what it is doing, and where that is
 * counted. Its owner decides when to connect, what to ask and what an event means.
 */
#ifndef MUM_STORE_MARIADB_SLOT_H
#define MUM_STORE_MARIADB_SLOT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/stats.h"
#include "common/store-mariadb/batch.h"
#include "common/store-mariadb/conn.h"
#include "common/store-mariadb/host-list.h"

enum slot_state { SLOT_EMPTY, SLOT_CONNECTING, SLOT_IDLE, SLOT_BUSY };

/* What the slots of a store share. All is borrowed and outlives them. */
struct slot_shared {
	const struct mum_host *host;
	const struct mum_config *config;
	struct host_list *hosts;
	struct mum_host_stats *stats;	/* of each host */
};

struct slot {
	const struct slot_shared *shared;
	void *owner;		/* for the callback, which is handed the slot */
	enum slot_state state;	/* see slot_set_state() */
	struct conn *conn;	/* NULL when SLOT_EMPTY */
	size_t host;		/* index of its host */
	bool retire;		/* close when idle: a better host works again */
	bool answered;		/* gave a result since it connected */
	struct batch batch;	/* while SLOT_BUSY */
};

/* The only assignment of a state. */
void slot_set_state(struct slot *slot, enum slot_state state);
void slot_count_error(const struct slot *slot, const struct conn_error *error);

/*
 * Starts to connect to that host; fn gets the slot as its arg. False when no thread can
 * be made: then the host has failed.
 */
bool slot_connect(struct slot *slot, size_t host, conn_event_fn *fn);
/* Closes the connection, if there is one. */
void slot_empty(struct slot *slot);

#endif
