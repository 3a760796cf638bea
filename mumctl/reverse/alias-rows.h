/* SPDX-License-Identifier: MIT */
/* Reads aliases by an index: of a mailbox, or with ids. */
#ifndef MUM_ALIAS_ROWS_H
#define MUM_ALIAS_ROWS_H

#include <stdint.h>

#include "common/inspect.h"

/* What the mailbox is to the alias. */
enum alias_rows_as { ALIAS_ROWS_RECIPIENT, ALIAS_ROWS_SENDER };

/* address as stored; expires: deactivate_at, or NULL. Both are gone when fn returns. */
typedef void alias_row_fn(uint64_t id, const char *address, const char *expires, void *arg);

/* mailbox: an address as stored. False sets the error. */
bool alias_rows_of(struct inspect *db, enum alias_rows_as as, const char *mailbox,
		   alias_row_fn *fn, void *arg, struct inspect_error *error_r);
/* ids: a list in JSON. */
bool alias_rows_by_id(struct inspect *db, bool sqlite, const char *ids, alias_row_fn *fn,
		      void *arg, struct inspect_error *error_r);

#endif
