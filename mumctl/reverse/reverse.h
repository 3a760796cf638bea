/* SPDX-License-Identifier: MIT */
/* What a help desk asks about a login, beyond what Dovecot is told: for mumctl user. */
#ifndef MUM_REVERSE_H
#define MUM_REVERSE_H

#include "mumctl/tool.h"

/*
 * Who may log in under the address of this answer to MUM_USER, as stored; NULL: nobody. It
 * lives as long as the answer.
 */
const char *reverse_login(const struct mum_answer *user);

/*
 * Adds "may_send_as", "aliases", "receives" and "quota" for a login. user: the answer to
 * MUM_USER about it. Returns the exit status; if not 0, it has complained and added nothing.
 */
int reverse_add(struct tool *tool, const struct mum_answer *user, json_t *document);
/* Prints what reverse_add() has added, if it has. */
void reverse_print(const json_t *document);

#endif
