/* SPDX-License-Identifier: MIT */
#include "common/store-mariadb/cells.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

enum { FIRST_SIZE = 256 };	/* bytes; a longer value gets more room */

static void bind(MYSQL_BIND *bind, struct cell *cell)
{
	memset(bind, 0, sizeof(*bind));
	bind->buffer_type = MYSQL_TYPE_STRING;
	bind->buffer = cell->data;
	bind->buffer_length = cell->size - 1;	/* room for a NUL */
	bind->length = &cell->len;
	bind->is_null = &cell->is_null;
	bind->error = &cell->truncated;
}

static bool bind_all(struct cells *cells, MYSQL_STMT *stmt, unsigned count)
{
	MYSQL_BIND binds[COLUMNS_MAX + 1];

	for (unsigned i = 0; i < count; i++) {
		struct cell *cell = &cells->cells[i];

		if (cell->data == NULL) {
			cell->size = FIRST_SIZE;
			cell->data = xmalloc(cell->size);
		}
		bind(&binds[i], cell);
	}
	cells->bound = mysql_stmt_bind_result(stmt, binds) == 0;
	return cells->bound;
}

/* Gives the cell more room, and fetches its value again. */
static bool refetch(struct cells *cells, MYSQL_STMT *stmt, unsigned column)
{
	struct cell *cell = &cells->cells[column];
	MYSQL_BIND one;

	cell->size = cell->len + 1;
	cell->data = xrealloc(cell->data, cell->size);
	cells->bound = false;
	bind(&one, cell);
	return mysql_stmt_fetch_column(stmt, &one, column, 0) == 0;
}

bool cells_bind(struct cells *cells, MYSQL_STMT *stmt, unsigned count)
{
	return cells->bound || bind_all(cells, stmt, count);
}

int cells_take(struct cells *cells, MYSQL_STMT *stmt, unsigned count, int result,
	       struct column *columns)
{
	if (result == MYSQL_NO_DATA) {
		mysql_stmt_free_result(stmt);
		return 0;
	}
	if (result != 0 && result != MYSQL_DATA_TRUNCATED)
		return -1;
	for (unsigned i = 0; i < count; i++) {
		struct cell *cell = &cells->cells[i];

		columns[i] = (struct column){ NULL, 0 };
		if (cell->is_null)
			continue;
		if (cell->len >= cell->size && !refetch(cells, stmt, i))
			return -1;
		cell->data[cell->len] = '\0';
		columns[i] = (struct column){ cell->data, cell->len };
	}
	return 1;
}

void cells_free(struct cells *cells)
{
	for (unsigned i = 0; i <= COLUMNS_MAX; i++)
		free(cells->cells[i].data);
}
