/* SPDX-License-Identifier: MIT */
/*
 * One connection to MariaDB or MySQL: connects, prepares each statement when
 * it is first needed, runs one at a time and hands out its rows. Never blocks.
 */
#ifndef MUM_STORE_MARIADB_CONN_H
#define MUM_STORE_MARIADB_CONN_H

#include <stdbool.h>

#include "common/facts.h"
#include "common/host.h"
#include "common/store-mariadb/connector.h"
#include "common/store-mariadb/errors.h"
#include "common/store-mariadb/statements.h"

struct conn;

enum conn_event {
	CONN_UP,	/* connected and idle */
	CONN_RESULT,	/* the statement is done; read its rows with conn_fetch() now */
	CONN_FAILED,	/* the statement failed; the connection is idle and still good */
	CONN_LOST,	/* the connection is useless: conn_free() it */
	CONN_LOST_IDLE	/* the same, while nothing was asked */
};

/*
 * Runs from the loop, never from inside a call below. With CONN_FAILED and CONN_LOST,
 * conn_error() tells more. The callback may call conn_execute() and conn_free(); with
 * CONN_RESULT, only after it has read the rows.
 */
typedef void conn_event_fn(struct conn *conn, enum conn_event event, void *arg);

struct conn_error {
	enum error_class class;
	bool timed_out;		/* by our own limit, not the server's */
	unsigned number;	/* 0: our own */
	const char *text;	/* valid until the next conn_*() call */
};

/* Starts to connect. NULL when no thread can be made. */
struct conn *conn_new(const struct mum_host *host,
		      const struct connector_settings *settings, conn_event_fn *fn,
		      void *arg);
/* Closes at once, even while a statement runs. Sets NULL; NULL is fine. */
void conn_free(struct conn **conn);

/* May statements take names as parameters (SHAPE_ONE)? */
bool conn_binds_names(const struct conn *conn);

/*
 * Runs the statement of a question on an idle connection. The values are those
 * of batch_values(), bound as strings; the connection takes them over.
 */
void conn_execute(struct conn *conn, enum question_kind kind,
		  enum statement_shape shape, char *values[PARAMS_MAX]);

/* 1: a row in columns, valid until the next call; 0: no more; -1: see conn_error(). */
int conn_fetch(struct conn *conn, struct column *columns);
struct conn_error conn_error(const struct conn *conn);

#endif
