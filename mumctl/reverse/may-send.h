/* SPDX-License-Identifier: MIT */
/* The addresses that a login may send as. */
#ifndef MUM_REVERSE_MAY_SEND_H
#define MUM_REVERSE_MAY_SEND_H

#include "common/inspect.h"
#include "mumctl/reverse/unknown-names.h"
#include "mumctl/tool.h"

/*
 * Appends {"address": ..., "expires": ...} for each. logins: the mailboxes of the login's
 * name, as stored; their own address comes first. db: of role Postfix. False sets the error.
 */
bool may_send_find(struct tool *tool, struct inspect *db, struct unknown_names *unknown,
		   const char *const *logins, size_t count, json_t *list,
		   struct inspect_error *error_r);

#endif
