/* SPDX-License-Identifier: MIT */
/*
 * The questions that wait for a connection, in a queue for each kind, which fills the
 * batches; and the questions that wait for their callback. When a statement ends, its
 * questions come back here: they are answered, asked again, or given up.
 */
#ifndef MUM_STORE_MARIADB_BACKLOG_H
#define MUM_STORE_MARIADB_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/store-log.h"
#include "common/store-mariadb/batch.h"
#include "common/store-mariadb/conn.h"

/* Empty if all but log.host is zero. */
struct backlog {
	struct store_log log;
	struct queue queues[MUM_QUESTIONS];
	struct queue finished;	/* to be answered, oldest first */
	uint64_t next_number;
};

/* Owned by the backlog until it is answered; request_free() withdraws it. */
struct store_request *backlog_add(struct backlog *backlog, const struct question *question,
				  store_done_fn *fn, void *arg);
/* Does any question wait to be asked? */
bool backlog_waits(const struct backlog *backlog);

/*
 * Fills the batch with questions of the kind whose first one waits longest: a fair share
 * for one of the idle connections. barred: a set of MUM_ASK() that must not be asked
 * now. False when there is nothing to ask.
 */
bool backlog_next(struct backlog *backlog, unsigned barred, size_t idle,
		  struct batch *batch);

/* The statement of the batch has a result: reads its rows. */
void backlog_take_rows(struct backlog *backlog, struct batch *batch, struct conn *conn);
/*
 * The statement has no result. innocent: nothing says that the statement is to blame.
 * host_name is for the reason in the answers.
 */
void backlog_failed(struct backlog *backlog, struct batch *batch, const char *host_name,
		    const struct conn_error *error, bool innocent);

/* Answers what is finished, and what finishes meanwhile. */
void backlog_deliver(struct backlog *backlog);

#endif
