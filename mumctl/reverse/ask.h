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

/* Questions of one kind. A zeroed struct has none. */
struct questions {
	size_t count;
	char **keys;
	struct asked *answers;	/* in the order of the keys; NULL before questions_ask() */
};

/* Takes over the key. */
void questions_add(struct questions *questions, char *key);
/* As tool_ask_all() in role Postfix. False sets the error: not all were answered. */
bool questions_ask(struct tool *tool, enum question_kind kind, struct questions *questions,
		   struct inspect_error *error_r);
void questions_free(struct questions *questions);	/* asked or not */
/* A connection of the role; NULL sets the error. */
struct inspect *ask_open(struct tool *tool, enum mum_role role, struct inspect_error *error_r);

#endif
