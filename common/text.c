/* SPDX-License-Identifier: MIT */
#include "common/text.h"

#include <stdint.h>
#include <string.h>
#include <unistr.h>

/* The byte, in all eight bytes of a word. */
#define EACH(BYTE) (UINT64_MAX / UINT8_MAX * (BYTE))

static uint64_t word_at(const char *text)
{
	uint64_t word;

	memcpy(&word, text, sizeof(word));
	return word;
}

/* The last eight bytes. If there are fewer, all of them, and blanks. */
static uint64_t last_word(const char *text, size_t len)
{
	uint64_t word = EACH(' ');

	if (len >= sizeof(word))
		return word_at(text + len - sizeof(word));
	if (len > 0)
		memcpy(&word, text, len);
	return word;
}

bool text_is_ascii(const char *text, size_t len)
{
	uint64_t seen = last_word(text, len);

	for (size_t i = 0; i + sizeof(seen) < len; i += sizeof(seen))
		seen |= word_at(text + i);
	return (seen & EACH(0x80)) == 0;
}

/*
 * The high bit of some byte is set if and only if a byte is not printable ASCII: bytes above
 * have it, DEL gets it when 1 is added, a control character when 0x20 is taken away. Only
 * such bytes carry into the next one.
 */
static uint64_t unprintable(uint64_t word)
{
	return word | (word + EACH(0x01)) | (word - EACH(0x20));
}

/* The short cut of text_is_clean(): most names are. */
static bool is_printable_ascii(const char *text, size_t len)
{
	uint64_t seen = unprintable(last_word(text, len));

	for (size_t i = 0; i + sizeof(seen) < len; i += sizeof(seen))
		seen |= unprintable(word_at(text + i));
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
	for (char *at = text; *at != '\0'; at++)
		*at = text_lower_byte(*at);
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
