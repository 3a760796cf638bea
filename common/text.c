/* SPDX-License-Identifier: MIT */
#include "common/text.h"

#include <string.h>

#include <unistr.h>

bool text_is_ascii(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] >= 0x80)
			return false;
	}
	return true;
}

bool text_is_clean(const char *text, size_t len)
{
	bool ascii = true;

	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte < 0x20 || byte == 0x7f)
			return false;
		/* C1 controls are C2 80 to C2 9F. */
		if (byte == 0xc2 && i + 1 < len && (unsigned char)text[i + 1] < 0xa0)
			return false;
		ascii = ascii && byte < 0x80;
	}
	return ascii || u8_check((const uint8_t *)text, len) == NULL;
}

size_t text_character_len(const char *text)
{
	size_t len = 1;

	while (((unsigned char)text[len] & 0xc0) == 0x80)
		len++;
	return len;
}

size_t text_characters(const char *text, size_t len)
{
	return u8_mbsnlen((const uint8_t *)text, len);
}

char *text_lower(char *text)
{
	for (char *at = text; *at != '\0'; at++) {
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	}
	return text;
}

size_t text_trim(const char **text, size_t len)
{
	static const char blanks[] = " \t\r\n";

	while (len > 0 && strchr(blanks, **text) != NULL) {
		(*text)++;
		len--;
	}
	while (len > 0 && strchr(blanks, (*text)[len - 1]) != NULL)
		len--;
	return len;
}
