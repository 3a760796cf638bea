/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "common/buf.h"

static void want_steal(const char *name, struct buf *buf, const char *want)
{
	char *got = buf_steal(buf);

	WANT_TEXT(name, got, want);
	WANT(name, buf->data == NULL && buf->len == 0 && buf->size == 0 && !buf->failed);
	free(got);
}

static void test_put(void **state)
{
	struct buf buf = BUF_INIT(10000);

	(void)state;
	buf_put(&buf, "ab", 2);
	buf_puts(&buf, "");
	buf_puts(&buf, "cd");
	buf_printf(&buf, "%d-%s", 42, "x");
	want_steal("in order", &buf, "abcd42-x");
	want_steal("an empty one is an empty string", &buf, "");
}

static void test_growth(void **state)
{
	struct buf buf = BUF_INIT(100000);

	(void)state;
	for (unsigned i = 0; i < 50000; i++)
		buf_put(&buf, &(char){ (char)('a' + i % 26) }, 1);
	WANT_NUMBER("all there", buf.len, 50000);
	WANT("the bytes", buf.data[0] == 'a' && buf.data[49999] == 'a' + 49999 % 26);
	WANT("not failed", !buf.failed);
	buf_free(&buf);
}

static void test_limit(void **state)
{
	static const struct {
		const char *name;
		size_t limit, first, second, want_len;
		bool failed;
	} rows[] = {
		{ "one below the limit", 10, 5, 4, 9, false },
		{ "at the limit", 10, 5, 5, 10, false },
		{ "one above: nothing of it is written", 10, 5, 6, 5, true },
		{ "at once", 10, 11, 0, 0, true },
		{ "a limit of nothing", 0, 0, 0, 0, false },
		{ "a limit of nothing, and a byte", 0, 1, 0, 0, true },
		{ "a limit above the first size", 300, 299, 1, 300, false },
		{ "one above that", 300, 299, 2, 299, true },
	};
	char bytes[400];

	(void)state;
	memset(bytes, 'x', sizeof(bytes));
	FOR_EACH_ROW(row, rows) {
		struct buf buf = BUF_INIT(row->limit);

		buf_put(&buf, bytes, row->first);
		buf_put(&buf, bytes, row->second);
		WANT_NUMBER(row->name, buf.len, row->want_len);
		WANT(row->name, buf.failed == row->failed);
		buf_free(&buf);
		WANT(row->name, !buf.failed && buf.data == NULL);
	}
}

/* Bytes of 'x' in an array of eight, or beside it. */
static void test_lent_array(void **state)
{
	static const struct {
		const char *name;
		size_t len, want_len;
		bool lent, failed;
	} rows[] = {
		{ "none", 0, 0, true, false },
		{ "as many as it takes", 8, 8, true, false },
		{ "one more", 9, 9, false, false },
		{ "the limit", 300, 300, false, false },
		{ "one above the limit", 301, 300, false, true },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char array[8] = "", *text;
		struct buf buf = BUF_LENT(array, 300);

		for (size_t i = 0; i < row->len; i++)
			buf_puts(&buf, "x");
		WANT_NUMBER(row->name, buf.len, row->want_len);
		WANT(row->name, (buf.data == array) == row->lent);
		WANT(row->name, buf.failed == row->failed);
		WANT(row->name, memcmp(array, "xxxxxxxx", row->len < 8 ? row->len : 8) == 0);
		text = buf_steal(&buf);
		WANT_NUMBER(row->name, strspn(text, "x"), row->want_len);
		WANT_NUMBER(row->name, strlen(text), row->want_len);
		free(text);
		buf_puts(&buf, "y");
		WANT("usable again, without the array", buf.len == 1 && buf.data != array);
		buf_free(&buf);
		buf = (struct buf)BUF_LENT(array, 300);
		buf_puts(&buf, "z");
		buf_free(&buf);
		WANT("the array is not freed", buf.data == NULL && array[0] == 'z');
	}
}

static void test_failure_sticks(void **state)
{
	struct buf buf = BUF_INIT(4);

	(void)state;
	buf_puts(&buf, "ab");
	buf_puts(&buf, "cde");
	buf_puts(&buf, "c");
	buf_printf(&buf, "%s", "d");
	buf_put_json(&buf, "");
	WANT_NUMBER("nothing after the failure", buf.len, 2);
	WANT("no place to write", buf_reserve(&buf, 1) == NULL);
	buf_clear(&buf);
	WANT("cleared", !buf.failed && buf.len == 0);
	buf_puts(&buf, "abcd");
	want_steal("usable again", &buf, "abcd");
}

static void test_printf_limit(void **state)
{
	struct buf buf = BUF_INIT(4);

	(void)state;
	buf_printf(&buf, "%04d", 7);
	WANT("fits", !buf.failed && buf.len == 4);
	buf_printf(&buf, "%s", "");
	WANT("nothing fits always", !buf.failed);
	buf_printf(&buf, "%d", 1);
	WANT("does not fit", buf.failed && buf.len == 4);
	buf_free(&buf);
}

static void test_json(void **state)
{
	static const struct {
		const char *name, *text, *want;
	} rows[] = {
		{ "empty", "", "\"\"" },
		{ "plain", "joe", "\"joe\"" },
		{ "quotes", "a\"b", "\"a\\\"b\"" },
		{ "backslashes", "a\\b", "\"a\\\\b\"" },
		{ "a slash stays", "a/b", "\"a/b\"" },
		{ "newline", "a\nb", "\"a\\u000ab\"" },
		{ "first control byte", "\x01", "\"\\u0001\"" },
		{ "last control byte", "\x1f", "\"\\u001f\"" },
		{ "DEL is allowed", "\x7f", "\"\x7f\"" },
		{ "UTF-8 stays", "\xc3\xa9\xf0\x9f\x98\x80", "\"\xc3\xa9\xf0\x9f\x98\x80\"" },
		{ "an injection stays inside", "\"],[\"x", "\"\\\"],[\\\"x\"" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct buf buf = BUF_INIT(100);

		buf_put_json(&buf, row->text);
		want_steal(row->name, &buf, row->want);
	}
}

static void test_consume(void **state)
{
	struct buf buf = BUF_INIT(100);

	(void)state;
	buf_puts(&buf, "abcdef");
	buf_consume(&buf, 0);
	WANT_NUMBER("nothing dropped", buf.len, 6);
	buf_consume(&buf, 2);
	WANT("the rest moved to the front", buf.len == 4 && memcmp(buf.data, "cdef", 4) == 0);
	buf_consume(&buf, 4);
	WANT_NUMBER("all dropped", buf.len, 0);
	buf_puts(&buf, "x");
	want_steal("usable again", &buf, "x");
}

static void test_reserve(void **state)
{
	struct buf buf = BUF_INIT(1000);
	char *to = buf_reserve(&buf, 600);

	(void)state;
	assert_non_null(to);
	memset(to, 'x', 600);
	buf.len += 600;
	WANT("the rest of the limit", buf_reserve(&buf, 400) != NULL);
	WANT("over it", buf_reserve(&buf, 401) == NULL);
	WANT("which is a failure", buf.failed);
	WANT("no overflow in the sum", buf_reserve(&buf, SIZE_MAX) == NULL);
	buf_free(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_put),
		UNIT_TEST(test_growth),
		UNIT_TEST(test_limit),
		UNIT_TEST(test_lent_array),
		UNIT_TEST(test_failure_sticks),
		UNIT_TEST(test_printf_limit),
		UNIT_TEST(test_json),
		UNIT_TEST(test_consume),
		UNIT_TEST(test_reserve),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
