/* SPDX-License-Identifier: MIT */
/* What the rows of mailboxes name as homes and places of mail: texts, without the disk. */
#ifndef MUM_HOMES_ROWS_H
#define MUM_HOMES_ROWS_H

#include "common/arena.h"
#include "common/inspect.h"

/* Paths are normal (paths.h); NULL: none, or one with "..". */
struct home_row {
	const char *name;	/* local@domain; "?" where the domain is gone */
	bool active, send_only;
	const char *home, *mail;
};

struct home_rows {
	size_t count;
	struct home_row *rows;
	/* All paths of mailboxes, as stored: homes, mail, indexes, and what else may be one. */
	size_t paths_count;
	const char **paths;
	struct arena arena;	/* owns all texts */
};

/* All rows, active or not, by role Dovecot. False sets the error: then use none of them. */
bool home_rows_read(struct inspect *db, struct home_rows *rows_r, struct inspect_error *error_r);
void home_rows_clear(struct home_rows *rows);

#endif
