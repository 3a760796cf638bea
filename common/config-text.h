/* SPDX-License-Identifier: MIT */
/*
 * What stands between double quotation marks in mum.conf: ${NAME} is an environment
 * variable, and behind a backslash a mark of punctuation stands for itself.
 */
#ifndef MUM_CONFIG_TEXT_H
#define MUM_CONFIG_TEXT_H

#include <stddef.h>

/* What is wrong with the text that begins here; NULL: nothing. */
const char *config_text_fault(const char *at);

/* What the text stands for, and its length. to has room for it, or is NULL. */
size_t config_text_decode(const char *from, const char *end, char *to);

#endif
