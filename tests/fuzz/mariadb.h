/* SPDX-License-Identifier: MIT */
/*
 * libmariadb, as far as a connection calls it: a server answers what a fuzz input says. There
 * is one connection at a time.
 */
#ifndef FUZZ_MARIADB_H
#define FUZZ_MARIADB_H

#include <stdbool.h>

#include "common/columns.h"
#include "common/facts.h"
#include "tests/fuzz/fuzz.h"

enum { MARIADB_CELLS = COLUMNS_MAX + 1 };

/* What the server sent, and how the last call ended. */
struct mariadb {
	struct feed *feed;
	bool checks_session;	/* else a new connection is fine as it is */
	unsigned columns_wanted;	/* that the next statement should have */
	unsigned columns;	/* that it has */
	struct column row[MARIADB_CELLS];	/* the last row that was fetched */
	bool failed, ended;	/* the last fetch */
	bool whole;		/* prepared, executed and stored without an error */
};

extern struct mariadb mariadb;

void mariadb_init(struct feed *feed);
/* Frees what is left; the connection must be closed by now. */
void mariadb_end(void);

#endif
