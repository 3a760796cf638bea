/* SPDX-License-Identifier: MIT */
/* text.c reads eight bytes at a time, and must judge as if byte by byte. */
#include "tests/unit/unit.h"

#include <string.h>

#include "common/text.h"

enum { LONGEST = 19 };	/* two words and a part */

/* Any byte at any place, among blanks or letters. */
static void test_each_byte_at_each_place_is_judged(void **state)
{
	(void)state;
	WANT("nothing", text_is_clean(NULL, 0) && text_is_ascii(NULL, 0));
	for (size_t len = 1; len <= LONGEST; len++) {
		for (size_t at = 0; at < len; at++) {
			for (unsigned byte = 0; byte < 256; byte++) {
				char text[LONGEST];

				memset(text, byte % 2 == 0 ? 'x' : ' ', len);
				text[at] = (char)byte;
				if (byte < 0x80)
					WANT("clean", text_is_clean(text, len) ==
						      (byte >= 0x20 && byte != 0x7f));
				else	/* no character of one byte */
					WANT("clean", !text_is_clean(text, len));
				WANT("ASCII", text_is_ascii(text, len) == (byte < 0x80));
			}
		}
	}
}

/* Side by side: DEL, and bytes whose carry may hide it. */
static void test_neighbours_do_not_hide_each_other(void **state)
{
	static const unsigned char odd[] = { 0x00, 0x01, 0x1f, 0x20, 0x7e, 0x7f, 0x80, 0xdf, 0xff };

	(void)state;
	for (size_t i = 0; i < sizeof(odd); i++) {
		for (size_t j = 0; j < sizeof(odd); j++) {
			char text[] = { 'a', (char)odd[i], (char)odd[j], 'b', 'c', 'd', 'e', 'f', 'g' };
			bool plain = odd[i] >= 0x20 && odd[i] < 0x7f && odd[j] >= 0x20 &&
				     odd[j] < 0x7f;
			bool character = odd[i] == 0xdf && odd[j] == 0x80;

			WANT("clean", text_is_clean(text, sizeof(text)) == (plain || character));
			WANT("ASCII", text_is_ascii(text, sizeof(text)) ==
				      (odd[i] < 0x80 && odd[j] < 0x80));
		}
	}
}

static void test_a_word_is_in_a_list_as_it_is(void **state)
{
	static const char *const list[] = { "one", "two", NULL };

	(void)state;
	WANT("first", text_is_one_of("one", list));
	WANT("last", text_is_one_of("two", list));
	WANT("beginning", !text_is_one_of("tw", list));
	WANT("case", !text_is_one_of("One", list));
	WANT("empty list", !text_is_one_of("one", list + 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_byte_at_each_place_is_judged),
		cmocka_unit_test(test_neighbours_do_not_hide_each_other),
		cmocka_unit_test(test_a_word_is_in_a_list_as_it_is),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
