/* SPDX-License-Identifier: MIT */
/*
 * Log lines, and values in them. A line is one line. Addresses and whatever else
 * comes from outside are shown in <> or as name=value; nothing in a value may end
 * it, or forge another one.
 */
#ifndef MUM_LOG_TEXT_H
#define MUM_LOG_TEXT_H

#include <stddef.h>

enum { LOG_TEXT_MAX = 400 };	/* bytes; more than any mail address has, and so cut */

struct log_text {
	char text[LOG_TEXT_MAX];
};

/*
 * Control characters and those in `also` become \xHH, and with a control character
 * or invalid UTF-8 anywhere all that is not ASCII. What is longer than size (at
 * least 16) ends with "...".
 */
void log_escape(char *to, size_t size, const char *text, const char *also);

/* With '<', '>' and the backslash. Returns to->text. */
const char *log_text_put(struct log_text *to, const char *value);
/* Blanks as well: for a value without brackets around it. "-" if it is empty. */
const char *log_text_put_word(struct log_text *to, const char *value);

/* For the arguments of host_log(); lives as long as the block around it. */
#define LOG_TEXT(value) log_text_put(&(struct log_text){ "" }, (value))
#define LOG_WORD(value) log_text_put_word(&(struct log_text){ "" }, (value))

#endif
