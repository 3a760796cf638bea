/* SPDX-License-Identifier: MIT */
/* Lists of entries of doc/differences.md, such as "D6 D9", as compare prints them. Pure. */
#ifndef MUM_COMPARE_NUMBERS_H
#define MUM_COMPARE_NUMBERS_H

#include <stdbool.h>

/* Of such a list, with its NUL. */
enum { NUMBERS_SIZE = 64 };

/* Do all of them only mean that an answer is spelled differently? */
bool numbers_have_no_effect(const char *numbers);
/* Adds one number, unless the list has it. */
void numbers_add_one(char to[NUMBERS_SIZE], const char *number);
/* Adds each number once. Numbers without an effect are left out if there are others. */
void numbers_add(char to[NUMBERS_SIZE], const char *numbers);

#endif
