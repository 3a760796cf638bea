/* SPDX-License-Identifier: MIT */
#include "common/log-text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"

static const char more[] = "...";

static bool is_plain(unsigned char byte, bool utf8, const char *also)
{
	if (byte >= 0x80)
		return utf8;
	return byte >= 0x20 && byte != 0x7f && strchr(also, byte) == NULL;
}

void log_escape(char *to, size_t size, const char *text, const char *also)
{
	const size_t end = size - sizeof("\\xHH") - sizeof(more);
	bool utf8 = text_is_clean(text, strlen(text));
	size_t len = 0;

	for (; *text != '\0' && len < end; text++) {
		unsigned char byte = (unsigned char)*text;

		if (is_plain(byte, utf8, also))
			to[len++] = (char)byte;
		else
			len += (size_t)sprintf(to + len, "\\x%02x", byte);
	}
	/* Do not cut in the middle of a character. */
	while (utf8 && len > 0 && ((unsigned char)*text & 0xc0) == 0x80) {
		text--;
		len--;
	}
	strcpy(to + len, *text != '\0' ? more : "");
}

const char *log_text_put(struct log_text *to, const char *value)
{
	log_escape(to->text, sizeof(to->text), value, "<>\\");
	return to->text;
}

const char *log_text_put_word(struct log_text *to, const char *value)
{
	log_escape(to->text, sizeof(to->text), *value != '\0' ? value : "-", "<>\\ ");
	return to->text;
}
