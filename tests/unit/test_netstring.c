/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "postfix-policy/protocol/netstring.h"

enum { MAX = 100 };

/* Parses a block of exactly len bytes, so that ASan sees any overread. */
static enum parse_result parse(const char *wire, size_t len, size_t max,
			       char *data, size_t *data_len, size_t *wire_len)
{
	char *exact = unit_exact(wire, len);
	struct netstring out = { "untouched", 9, 99 };
	enum parse_result result = netstring_parse(exact, len, max, &out);

	if (result == PARSE_DONE) {
		memcpy(data, out.data, out.len);
		data[out.len] = '\0';
		*data_len = out.len;
		*wire_len = out.wire_len;
	} else {
		WANT("only PARSE_DONE writes", out.len == 9 && out.wire_len == 99);
	}
	free(exact);
	return result;
}

static void test_whole_ones(void **state)
{
	static const struct {
		const char *name, *wire, *data;
		size_t wire_len;
	} rows[] = {
		{ "empty", "0:,", "", 3 },
		{ "plain", "5:hello,", "hello", 8 },
		{ "holds a comma", "3:a,b,", "a,b", 6 },
		{ "holds a colon", "3:a:b,", "a:b", 6 },
		{ "two in a row", "1:a,1:b,", "a", 4 },
		{ "rubbish behind it", "1:a,x", "a", 4 },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char data[MAX + 1];
		size_t data_len, wire_len;

		if (parse(row->wire, strlen(row->wire), MAX, data, &data_len, &wire_len) !=
		    PARSE_DONE) {
			WANT(row->name, false);
			continue;
		}
		WANT_TEXT(row->name, data, row->data);
		WANT_NUMBER(row->name, wire_len, row->wire_len);
	}
}

struct unfinished {
	const char *name, *wire;
};

static void want_of_each(const struct unfinished *rows, size_t count, enum parse_result want)
{
	char data[MAX + 1];
	size_t data_len, wire_len;

	for (size_t i = 0; i < count; i++)
		WANT_NUMBER(rows[i].name, parse(rows[i].wire, strlen(rows[i].wire), MAX, data,
						&data_len, &wire_len), want);
}

static void test_the_rest_is_not_here_yet(void **state)
{
	static const struct unfinished rows[] = {
		{ "nothing", "" },
		{ "a digit", "1" },
		{ "a length", "12:" },
		{ "comma not here yet", "5:hello" },
		{ "a zero, perhaps more", "0" },
		{ "at the limit", "100:" },
	};

	(void)state;
	want_of_each(rows, sizeof(rows) / sizeof(rows[0]), PARSE_MORE);
}

static void test_no_further_byte_helps(void **state)
{
	static const struct unfinished rows[] = {
		{ "no length", ":," },
		{ "only a colon", ":" },
		{ "leading zero", "01:a," },
		{ "leading zero, known early", "00" },
		{ "no comma", "1:ab" },
		{ "too long a length", "5:hello!," },
		{ "too short a length", "4:hello," },
		{ "a sign", "-1:a," },
		{ "a plus", "+1:a," },
		{ "a blank before", " 1:a," },
		{ "a blank between", "1 :a," },
		{ "a letter", "a" },
		{ "hexadecimal", "0x1:a," },
		{ "a newline", "\n" },
		{ "over the limit", "101" },
		{ "far over the limit", "99999999999999999999999999" },
		{ "2^64 + 1", "18446744073709551617:a," },
	};

	(void)state;
	want_of_each(rows, sizeof(rows) / sizeof(rows[0]), PARSE_BAD);
}

static void test_any_byte_is_data(void **state)
{
	char wire[6] = "1:x,", data[MAX + 1];
	size_t data_len, wire_len;

	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		wire[2] = (char)byte;
		WANT("one byte", parse(wire, 4, MAX, data, &data_len, &wire_len) ==
		     PARSE_DONE);
		WANT("that byte", data_len == 1 && data[0] == (char)byte);
	}
}

static void test_only_digits_and_a_colon_are_a_length(void **state)
{
	char data[MAX + 1];
	size_t data_len, wire_len;

	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		char wire[] = { '1', (char)byte };
		bool fine = (byte >= '0' && byte <= '9') || byte == ':';

		WANT("second byte", parse(wire, 2, MAX, data, &data_len, &wire_len) ==
		     (fine ? PARSE_MORE : PARSE_BAD));
	}
}

static void test_any_cut_means_more(void **state)
{
	const char *wire = "11:forward a@b,";
	char data[MAX + 1];
	size_t data_len, wire_len;

	(void)state;
	for (size_t cut = 0; cut < strlen(wire); cut++)
		WANT_NUMBER("a cut", parse(wire, cut, MAX, data, &data_len, &wire_len),
			    PARSE_MORE);
	WANT_NUMBER("no cut",
		    parse(wire, strlen(wire), MAX, data, &data_len, &wire_len), PARSE_DONE);
}

static void test_limits(void **state)
{
	static const struct {
		const char *name;
		size_t max, len;
		enum parse_result want;
	} rows[] = {
		{ "one below", 1000, 999, PARSE_DONE },
		{ "at the limit", 1000, 1000, PARSE_DONE },
		{ "one above", 1000, 1001, PARSE_BAD },
		{ "a limit of nothing, nothing", 0, 0, PARSE_DONE },
		{ "a limit of nothing, a byte", 0, 1, PARSE_BAD },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char wire[1100], data[1100];
		size_t data_len, wire_len;
		int head = snprintf(wire, sizeof(wire), "%zu:", row->len);

		memset(wire + head, 'x', row->len);
		wire[(size_t)head + row->len] = ',';
		WANT_NUMBER(row->name, parse(wire, (size_t)head + row->len + 1, row->max,
					     data, &data_len, &wire_len), row->want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_whole_ones),
		UNIT_TEST(test_the_rest_is_not_here_yet),
		UNIT_TEST(test_no_further_byte_helps),
		UNIT_TEST(test_any_byte_is_data),
		UNIT_TEST(test_only_digits_and_a_colon_are_a_length),
		UNIT_TEST(test_any_cut_means_more),
		UNIT_TEST(test_limits),
	};

	return cmocka_run_group_tests_name("netstring", tests, NULL, NULL);
}
