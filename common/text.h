/* SPDX-License-Identifier: MIT */
/* Bytes as text: characters, blanks and case. */
#ifndef MUM_TEXT_H
#define MUM_TEXT_H

#include <stdbool.h>
#include <stddef.h>

bool text_is_ascii(const char *text, size_t len);

/* Valid UTF-8 and free of control characters (C0, DEL, C1)? */
bool text_is_clean(const char *text, size_t len);

/* Bytes of the first character; text is valid UTF-8 and not empty. */
size_t text_character_len(const char *text);

/* How many characters, as a database counts them: code points. */
size_t text_characters(const char *text, size_t len);

/* Is it in the list, which ends with NULL? */
bool text_is_one_of(const char *text, const char *const *list);

/* Leaves out blanks at both ends: moves *text behind the leading ones, returns the length. */
size_t text_trim(const char **text, size_t len);

/* Changes A-Z to a-z, whatever the locale. */
static inline char text_lower_byte(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

/* The same in place; returns text. */
char *text_lower(char *text);

#endif
