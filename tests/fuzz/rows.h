/* SPDX-License-Identifier: MIT */
/* Rows of any content for any question, out of a fuzz input. */
#ifndef FUZZ_ROWS_H
#define FUZZ_ROWS_H

#include "common/columns.h"
#include "common/facts.h"
#include "tests/fuzz/fuzz.h"

enum { ROWS_CELLS = COLUMNS_MAX + 1 };

/* Cells in blocks of their own. */
struct row {
	struct column columns[ROWS_CELLS];
};

void row_feed(struct row *row, struct feed *feed);
/* Makes the row one about this form of the address, as a database would. */
void row_aim(struct row *row, enum question_kind kind, const struct address *address,
	     size_t form);
void row_free(struct row *row);

#endif
