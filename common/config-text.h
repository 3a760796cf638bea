/* SPDX-License-Identifier: MIT */
/*
 * What stands between double quotation marks in mum.conf: ${NAME} is an environment
 * variable, and a mark of punctuation behind a backslash stands for itself.
 */
#ifndef MUM_CONFIG_TEXT_H
#define MUM_CONFIG_TEXT_H

#include <stddef.h>

/* What is wrong with the text that begins here; NULL: nothing. */
const char *config_text_fault(const char *at);

/* Returns the decoded length. to has room for the decoded text, or is NULL. */
size_t config_text_decode(const char *from, const char *end, char *to);

#endif
