/* SPDX-License-Identifier: MIT */
/*
 * Connections (common/store-mariadb/conn.h) to a server that a test plays by hand. A
 * program that has this file has no other conn.c. Timeouts come from the fake host. What
 * breaks the contract of conn.h is an abort().
 */
#ifndef FAKE_CONN_H
#define FAKE_CONN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/store-mariadb/conn.h"

enum fake_conn_state { FAKE_CONN_CONNECTING, FAKE_CONN_IDLE, FAKE_CONN_BUSY, FAKE_CONN_DEAD };

/* The index-th row of the statement under way: false when there is none. */
typedef bool fake_row_fn(const struct conn *conn, size_t index, struct column *columns,
			 void *arg);

struct conn {
	unsigned number;		/* in the order of conn_new() */
	const struct mum_host *host;
	const char *host_name;		/* the entry of database.hosts; borrowed */
	unsigned timeout_ms;
	conn_event_fn *fn;
	void *arg;			/* of fn */
	enum fake_conn_state state;
	bool connected;			/* it has been */
	struct mum_timer *timer;	/* while connecting or busy */
	enum question_kind kind;	/* of the last statement */
	enum statement_shape shape;
	char *values[PARAMS_MAX];	/* NULL unless busy, or its rows are read */
	fake_row_fn *rows;		/* while its rows may be read */
	void *rows_arg;
	size_t rows_read, rows_good;	/* how many are read before one fails */
	bool timed_out;
	unsigned error_number;
	const char *error_text;
	struct conn *prev, *next;
};

/* Connections that live, oldest first. */
struct fake_conns {
	struct conn *conns;
	unsigned made;		/* so far */
	bool no_thread;		/* conn_new() gives NULL */
	bool binds_names;
};

/* The list that conn_new() puts connections into, from now on. */
void fake_conns_use(struct fake_conns *conns);

/* What the server does. Each calls the owner, which may free the connection. */
void fake_conn_connect(struct conn *conn);
/* The statement has a result. Its rows come from fn; after `good` ones reading fails. */
void fake_conn_result(struct conn *conn, fake_row_fn *fn, void *arg, size_t good);
/* Also while it is connecting, or idle. text is static. */
void fake_conn_error(struct conn *conn, unsigned number, const char *text);

#endif
