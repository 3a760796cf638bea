/* SPDX-License-Identifier: MIT */
/* The cells that the rows of a statement are read into, one row after the other. */
#ifndef MUM_STORE_MARIADB_CELLS_H
#define MUM_STORE_MARIADB_CELLS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/columns.h"
#include "common/facts.h"
#include "common/store-mariadb/client.h"

struct cell {
	char *data;		/* NULL until first needed */
	size_t size;
	unsigned long len;
	my_bool is_null, truncated;
};

/* A zeroed struct has no memory and is not bound. */
struct cells {
	bool bound;		/* to the result of the statement; set false for a new one */
	struct cell cells[COLUMNS_MAX + 1];
};

/* Before each row is fetched. False: the statement has the error. */
bool cells_bind(struct cells *cells, MYSQL_STMT *stmt, unsigned count);
/*
 * result: of mysql_stmt_fetch(). 1: a row in columns, valid until the next fetch; 0: no
 * more, and the result is freed; -1: the statement has the error, or the connection if the
 * result is not stored.
 */
int cells_take(struct cells *cells, MYSQL_STMT *stmt, unsigned count, int result,
	       struct column *columns);
void cells_free(struct cells *cells);

#endif
