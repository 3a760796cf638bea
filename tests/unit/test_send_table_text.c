/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "common/xalloc.h"
#include "postfix-policy/send/table-text.h"

enum { SECOND = 1000000, MINUTE = 60 * SECOND };	/* us */

#define KEEP (60ULL * MINUTE)

static const int64_t WALL = 1764475291;

/* One a second, a hundred at once. */
static const struct mum_config config = {
	.policy = { .send_rate = 60, .send_period = 60000, .send_burst = 100 },
};

static struct send_table *make(size_t max)
{
	struct send_table *table = send_table_new();
	struct send_limits *limits = send_limits_new(&config);

	send_table_configure(table, &limits, max, KEEP, 0);
	return table;
}

static void send(struct send_table *table, const char *login, uint64_t n, uint64_t now)
{
	send_table_take(table, send_table_get(table, login, now, WALL), n, now);
}

/* ---- good and bad texts ---- */

#define HEAD "mum-senders 1\nwall 1764475291\n"
#define ROW "3000000 4 0 1764475000 a@b.test\n"

static const struct {
	const char *name, *text;
	int rows;		/* -1: bad */
} rows[] = {
	{ "nobody", HEAD "end 0\n", 0 },
	{ "one", HEAD ROW "end 1\n", 1 },
	{ "two", HEAD ROW "0 1 2 3 with space@b.test\nend 2\n", 2 },
	{ "a login that looks like the end", HEAD "1 1 1 1 end 1\nend 1\n", 1 },
	{ "a login beyond ASCII", HEAD "1 1 1 1 j\xc3\xb6rg@b.test\nend 1\n", 1 },
	{ "the most", HEAD "18446744073709551615 18446744073709551615 18446744073709551615 "
			   "9223372036854775807 a\nend 1\n", 1 },

	{ "empty", "", -1 },
	{ "another file", "root:x:0:0:root:/root:/bin/bash\n", -1 },
	{ "another version", "mum-senders 2\nwall 1\nend 0\n", -1 },
	{ "no time", "mum-senders 1\nend 0\n", -1 },
	{ "a time that is none", "mum-senders 1\nwall x\nend 0\n", -1 },
	{ "a negative time", "mum-senders 1\nwall -1\nend 0\n", -1 },
	{ "something behind the time", "mum-senders 1\nwall 1 \nend 0\n", -1 },
	{ "no end", HEAD ROW, -1 },
	{ "a row is missing", HEAD ROW "end 2\n", -1 },
	{ "a row too many", HEAD ROW ROW "end 1\n", -1 },
	{ "something behind the end", HEAD ROW "end 1\n\n", -1 },
	{ "the end without its newline", HEAD ROW "end 1", -1 },
	{ "a carriage return", HEAD "1 1 1 1 a\r\nend 1\n", -1 },
	{ "a NUL", NULL, -1 },
	{ "no login", HEAD "1 1 1 1 \nend 1\n", -1 },
	{ "a number is missing", HEAD "1 1 1 a\nend 1\n", -1 },
	{ "two blanks", HEAD "1  1 1 1 a\nend 1\n", -1 },
	{ "an empty number", HEAD " 1 1 1 a\nend 1\n", -1 },
	{ "a sign", HEAD "+1 1 1 1 a\nend 1\n", -1 },
	{ "another spelling of a number", HEAD "01 1 1 1 a\nend 1\n", -1 },
	{ "over 64 bits", HEAD "18446744073709551616 1 1 1 a\nend 1\n", -1 },
	{ "far over 64 bits", HEAD "99999999999999999999999 1 1 1 a\nend 1\n", -1 },
	{ "a time over 63 bits", HEAD "1 1 1 9223372036854775808 a\nend 1\n", -1 },
	{ "a login that is no UTF-8", HEAD "1 1 1 1 \xff\nend 1\n", -1 },
	{ "an empty line", HEAD "\nend 0\n", -1 },
};

static void count_row(const struct send_row *row, int64_t wall, void *arg)
{
	WANT("a login", *row->login != '\0');
	WANT_NUMBER("when", wall, WALL);
	++*(int *)arg;
}

static int count_rows(const char *text, size_t len)
{
	char *block = unit_exact(text, len);
	int count = 0;
	bool good = send_text_read(block, len, count_row, &count);

	free(block);
	WANT("of a bad text no row is handed out", good || count == 0);
	return good ? count : -1;
}

static void test_texts(void **state)
{
	static const char nul[] = HEAD "1 1 1 1 a\0b\nend 1\n";
	char *as = unit_repeat("a", SEND_LOGIN_SIZE);
	char *text = xasprintf(HEAD "1 1 1 1 %s\nend 1\n", as);

	(void)state;
	FOR_EACH_ROW(row, rows) {
		if (row->text != NULL)
			WANT_NUMBER(row->name, count_rows(row->text, strlen(row->text)),
				    row->rows);
		else
			WANT_NUMBER(row->name, count_rows(nul, sizeof(nul) - 1), row->rows);
	}
	WANT_NUMBER("too long a login", count_rows(text, strlen(text)), -1);
	free(text);
	text = xasprintf(HEAD "1 1 1 1 %s\nend 1\n", as + 1);
	WANT_NUMBER("the longest", count_rows(text, strlen(text)), 1);
	free(text);
	free(as);
}

static void test_any_cut_is_bad(void **state)
{
	static const char text[] = HEAD ROW "0 1 2 3 c@b.test\nend 2\n";

	(void)state;
	for (size_t cut = 0; cut < sizeof(text) - 1; cut++)
		WANT_NUMBER("a cut", count_rows(text, cut), -1);
}

/* ---- there and back ---- */

static void test_written(void **state)
{
	struct send_table *table = make(10);
	struct buf text = BUF_INIT(4096);
	char *got;

	(void)state;
	send(table, "a@b.test", 4, MINUTE);
	send_table_get(table, "a@b.test", MINUTE, WALL)->over = 7;
	send(table, "with space@b.test", 0, MINUTE);
	send_text_put(&text, table, MINUTE + SECOND, WALL + 1);
	got = buf_steal(&text);
	WANT_TEXT("as the manual has it", got,
		  "mum-senders 1\nwall 1764475292\n0 0 0 1764475291 with space@b.test\n"
		  "3000000 4 7 1764475291 a@b.test\nend 2\n");
	free(got);
	send_table_free(&table);
}

/*
 * mumd ends and starts again. With a boot, the clock that never goes back begins anew; the
 * time of day may change to anything.
 */
static void test_restart(void **state)
{
	static const struct {
		const char *name;
		uint64_t now;		/* then */
		int64_t passed;		/* of the time of day */
		uint64_t left;		/* of 100, when 60 were sent */
	} cases[] = {
		{ "at once", 10 * MINUTE, 0, 40 },
		{ "a reboot", 0, 0, 40 },
		{ "a reboot that took a while", SECOND, 30, 70 },
		{ "all has drained but one", SECOND, 59, 99 },
		{ "all has drained", SECOND, 60, 100 },
		{ "a week later", SECOND, 604800, 100 },
		{ "the clock is set back", SECOND, -604800, 40 },
		{ "to 1970", SECOND, -WALL, 40 },
		{ "set forward by centuries", SECOND, INT64_MAX - WALL, 100 },
	};
	struct send_table *table = make(10);
	struct buf text = BUF_INIT(4096);

	(void)state;
	send(table, "a@b.test", 60, 10 * MINUTE);
	send_text_put(&text, table, 10 * MINUTE, WALL);
	FOR_EACH_ROW(row, cases) {
		struct send_table *next = make(10);
		const struct send_entry *entry;

		WANT(row->name, send_text_restore(text.data, text.len, next, row->now,
						  WALL + row->passed));
		entry = send_table_find(next, "a@b.test");
		WANT_NUMBER(row->name,
			    entry != NULL ? send_entry_left(entry, row->now) : 100, row->left);
		if (entry != NULL)
			WANT_NUMBER(row->name, entry->sent, 60);
		send_table_free(&next);
	}
	buf_free(&text);
	send_table_free(&table);
}

static void test_restored_within_bounds(void **state)
{
	static const char text[] = HEAD
		"18446744073709551615 1 0 1 a\n"	/* from a longer limit, or a liar */
		"5000000 1 0 1 b\n6000000 1 0 1 c\n7000000 1 0 1 d\nend 4\n";
	struct send_table *table = make(3);

	(void)state;
	WANT("read", send_text_restore(text, sizeof(text) - 1, table, SECOND, WALL));
	WANT_NUMBER("no more than there may be", send_table_count(table), 3);
	WANT("the first to drain went", send_table_find(table, "b") == NULL);
	WANT_NUMBER("at its limit", send_entry_left(send_table_find(table, "a"), SECOND), 0);
	WANT_NUMBER("and free again by and by",
		    send_entry_left(send_table_find(table, "a"), SECOND + 100 * SECOND), 100);
	send_table_free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_texts),
		UNIT_TEST(test_any_cut_is_bad),
		UNIT_TEST(test_written),
		UNIT_TEST(test_restart),
		UNIT_TEST(test_restored_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
