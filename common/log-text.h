/* SPDX-License-Identifier: MIT */
/*
 * Values in log lines. Addresses and all else that comes from outside are shown in <> or
 * as name=value. Nothing in a value may end the line or the value, or forge another one.
 */
#ifndef MUM_LOG_TEXT_H
#define MUM_LOG_TEXT_H

#include <stddef.h>

enum { LOG_TEXT_MAX = 400 };	/* bytes; longer than any mail address; the rest is cut */

struct log_text {
	char text[LOG_TEXT_MAX];
};

/*
 * Control characters and those in `also` become \xHH. If the text has a control
 * character or invalid UTF-8 anywhere, all bytes beyond ASCII become \xHH, too. A text
 * that does not fit into size (at least 16) ends with "...".
 */
void log_escape(char *to, size_t size, const char *text, const char *also);

/* Escapes '<', '>' and the backslash as well. Returns to->text. */
const char *log_text_put(struct log_text *to, const char *value);
/* Escapes blanks, too, for a value without brackets around it. "-" if it is empty. */
const char *log_text_put_word(struct log_text *to, const char *value);

/* For the arguments of host_log(); lives as long as the block around it. */
#define LOG_TEXT(value) log_text_put(&(struct log_text){ "" }, (value))
#define LOG_WORD(value) log_text_put_word(&(struct log_text){ "" }, (value))

#endif
