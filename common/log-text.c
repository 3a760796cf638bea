/* SPDX-License-Identifier: MIT */
#include "common/log-text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/address.h"

static bool is_plain(unsigned char byte, bool utf8, const char *also)
{
	if (byte >= 0x80)
		return utf8;
	return byte >= 0x20 && byte != 0x7f && strchr(also, byte) == NULL;
}

static const char *put(struct log_text *to, const char *value, const char *also)
{
	static const char more[] = "...";
	const size_t end = sizeof(to->text) - sizeof("\\xHH") - sizeof(more);
	bool utf8 = text_is_clean(value, strlen(value));
	size_t len = 0;

	for (; *value != '\0' && len < end; value++) {
		unsigned char byte = (unsigned char)*value;

		if (is_plain(byte, utf8, also))
			to->text[len++] = (char)byte;
		else
			len += (size_t)sprintf(to->text + len, "\\x%02x", byte);
	}
	/* Not in the middle of a character. */
	while (utf8 && len > 0 && ((unsigned char)*value & 0xc0) == 0x80) {
		value--;
		len--;
	}
	strcpy(to->text + len, *value != '\0' ? more : "");
	return to->text;
}

const char *log_text_put(struct log_text *to, const char *value)
{
	return put(to, value, "<>\\");
}

const char *log_text_put_word(struct log_text *to, const char *value)
{
	return put(to, *value != '\0' ? value : "-", "<>\\ ");
}
