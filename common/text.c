/* SPDX-License-Identifier: MIT */
#include "common/text.h"

#include <stdint.h>
#include <string.h>

#include <unistr.h>

/* The byte, in all eight bytes of a word. */
#define EACH(BYTE) (UINT64_MAX / UINT8_MAX * (BYTE))

/* The next eight bytes; at the end fewer, and blanks after them. */
static uint64_t next_word(const char *text, size_t len)
{
	uint64_t word = EACH(' ');

	if (len >= sizeof(word))
		memcpy(&word, text, sizeof(word));
	else
		memcpy(&word, text, len);
	return word;
}

bool text_is_ascii(const char *text, size_t len)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < len; i += sizeof(seen))
		seen |= next_word(text + i, len - i);
	return (seen & EACH(0x80)) == 0;
}

/*
 * Most names are. A byte's high bit is set by itself, by adding 1 to DEL, or by
 * taking 0x20 from a control character. Only such a byte makes a carry.
 */
static bool is_printable_ascii(const char *text, size_t len)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < len; i += sizeof(seen)) {
		uint64_t word = next_word(text + i, len - i);

		seen |= word | (word + EACH(0x01)) | (word - EACH(0x20));
	}
	return (seen & EACH(0x80)) == 0;
}

bool text_is_clean(const char *text, size_t len)
{
	if (is_printable_ascii(text, len))
		return true;
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte < 0x20 || byte == 0x7f)
			return false;
		/* C1 controls are C2 80 to C2 9F. */
		if (byte == 0xc2 && i + 1 < len && (unsigned char)text[i + 1] < 0xa0)
			return false;
	}
	return u8_check((const uint8_t *)text, len) == NULL;
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

bool text_is_one_of(const char *text, const char *const *list)
{
	while (*list != NULL && strcmp(*list, text) != 0)
		list++;
	return *list != NULL;
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
