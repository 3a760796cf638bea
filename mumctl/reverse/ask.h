/* SPDX-License-Identifier: MIT */
/* What the parts of the reverse views ask about stored addresses. */
#ifndef MUM_REVERSE_ASK_H
#define MUM_REVERSE_ASK_H

#include "common/inspect.h"
#include "mumctl/tool.h"

/*
 * A stored address, with an extension behind its local part, as mail is sent to it; as it
 * is stored if that fits in no list of addresses. Caller frees.
 */
char *ask_name(const char *stored, const char *extension);

/* As tool_ask_all() in role Postfix. False sets the error: not all were answered. */
bool ask_all(struct tool *tool, enum question_kind kind, char *const *keys, size_t count,
	     struct asked *asked_r, struct inspect_error *error_r);
/* Frees both arrays, and all in them. */
void ask_free(struct asked *asked, char **keys, size_t count);
/* A connection of the role; NULL sets the error. */
struct inspect *ask_open(struct tool *tool, enum mum_role role, struct inspect_error *error_r);

#endif
