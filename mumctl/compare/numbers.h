/* SPDX-License-Identifier: MIT */
/* Entries of doc/differences.md, such as "D6 D9": those of a state, and lists of them. Pure. */
#ifndef MUM_COMPARE_NUMBERS_H
#define MUM_COMPARE_NUMBERS_H

#include <stdbool.h>

#include "common/states.h"

/*
 * Why we leave out what stock has, by the state of its row: "" if we do not, or for a reason
 * that the row does not tell.
 */
const char *numbers_of_recipient(enum recipient_state state);
const char *numbers_of_alias(enum alias_state state);
const char *numbers_of_mailbox(enum mailbox_state state);
const char *numbers_of_owner(enum owner_state state);
const char *numbers_of_tls(enum tls_state state);

/* Of such a list, with its NUL. */
enum { NUMBERS_SIZE = 64 };

/* Do all of them only mean that an answer is spelled differently? */
bool numbers_have_no_effect(const char *numbers);
/* Adds each number once. */
void numbers_add_all(char to[NUMBERS_SIZE], const char *numbers);
/* The same, but numbers without an effect are left out if there are others. */
void numbers_add(char to[NUMBERS_SIZE], const char *numbers);

#endif
