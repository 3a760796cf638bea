/* SPDX-License-Identifier: MIT */
/* What doveadm prints of sizes, whole and damaged. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "common/xalloc.h"
#include "mumctl/doveadm-sizes.h"

enum answer { NO_ROW, NO_SIZE, SIZE };

static const struct {
	enum sizes_source source;
	const char *line;
	enum answer answer;
	const char *user;
	uint64_t kib;
} rows[] = {
	{ SIZES_QUOTA, "Username\tQuota name\tType\tValue\tLimit\t%", NO_ROW, NULL, 0 },
	{ SIZES_QUOTA, "a@b.test\tUser quota\tSTORAGE\t7\t3145728\t0", SIZE, "a@b.test", 7 },
	{ SIZES_QUOTA, "a@b.test\tUser quota\tSTORAGE\t7\t-\t0", SIZE, "a@b.test", 7 },
	{ SIZES_QUOTA, "o'b c@b.test\t\tSTORAGE\t0\t-\t0", SIZE, "o'b c@b.test", 0 },
	{ SIZES_QUOTA, "a@b.test\tUser quota\tMESSAGE\t7\t-\t0", NO_ROW, NULL, 0 },
	{ SIZES_QUOTA, "a@b.test\tUser quota\tSTORAGE\terror\terror\terror", NO_SIZE, "a@b.test", 0 },
	{ SIZES_QUOTA, "a@b.test\tUser quota\tSTORAGE\t-7\t-\t0", NO_ROW, NULL, 0 },
	{ SIZES_QUOTA, "a@b.test\tUser quota\tSTORAGE\t+7\t-\t0", NO_ROW, NULL, 0 },
	{ SIZES_QUOTA, "a@b.test\tUser quota\tSTORAGE\t 7\t-\t0", NO_ROW, NULL, 0 },
	{ SIZES_QUOTA, "a@b.test\tUser quota\tSTORAGE\t7x\t-\t0", NO_ROW, NULL, 0 },
	{ SIZES_QUOTA, "a@b.test\tUser quota\tSTORAGE\t\t-\t0", NO_ROW, NULL, 0 },
	{ SIZES_QUOTA, "a@b.test\tUser quota\tSTORAGE\t1125899906842623\t-\t0", SIZE, "a@b.test",
	  1125899906842623 },
	{ SIZES_QUOTA, "a@b.test\tUser quota\tSTORAGE\t1125899906842624\t-\t0", NO_SIZE, "a@b.test",
	  0 },
	{ SIZES_QUOTA, "a@b.test\tUser quota\tSTORAGE\t99999999999999999999\t-\t0", NO_ROW, NULL,
	  0 },
	{ SIZES_QUOTA, "a@b.test\tUser quota\tSTORAGE\t7\t-", NO_ROW, NULL, 0 },
	{ SIZES_QUOTA, "a@b.test\tUser quota\tSTORAGE\t7\t-\t0\t0", NO_ROW, NULL, 0 },
	{ SIZES_QUOTA, "a@b.test\t7", NO_ROW, NULL, 0 },
	{ SIZES_QUOTA, "", NO_ROW, NULL, 0 },
	{ SIZES_QUOTA, "\t\t\t\t\t\t\t\t\t\t", NO_ROW, NULL, 0 },
	{ SIZES_VSIZE, "Username\tvsize", NO_ROW, NULL, 0 },
	{ SIZES_VSIZE, "a@b.test\t0", SIZE, "a@b.test", 0 },
	{ SIZES_VSIZE, "a@b.test\t1", SIZE, "a@b.test", 1 },
	{ SIZES_VSIZE, "a@b.test\t1024", SIZE, "a@b.test", 1 },
	{ SIZES_VSIZE, "a@b.test\t6536", SIZE, "a@b.test", 7 },
	{ SIZES_VSIZE, "a@b.test\t18446744073709551615", NO_SIZE, "a@b.test", 0 },
	{ SIZES_VSIZE, "a@b.test\terror", NO_ROW, NULL, 0 },
	{ SIZES_VSIZE, "a@b.test\t7\t8", NO_ROW, NULL, 0 },
	{ SIZES_VSIZE, "a@b.test", NO_ROW, NULL, 0 },
};

static void test_rows(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, rows) {
		char *line = unit_exact(row->line, strlen(row->line) + 1);
		struct size_row got = { .user = NULL };
		bool is_row = sizes_read_row(row->source, line, &got);

		WANT_NUMBER(row->line, is_row, row->answer != NO_ROW);
		if (is_row) {
			WANT_TEXT(row->line, got.user, row->user);
			WANT_NUMBER(row->line, got.known, row->answer == SIZE);
			WANT_NUMBER(row->line, got.known ? got.kib : 0, row->kib);
		}
		free(line);
	}
}

static const struct {
	const char *line, *user;
} errors[] = {
	{ "doveadm(a@b.test): Error: stat(/x) failed: Permission denied", "a@b.test" },
	{ "doveadm(a@b.test)<15614><>: Error: auth-master: userdb lookup failed", "a@b.test" },
	{ "doveadm(a@b.test)<1><Ab/+=>: Error: x", "a@b.test" },
	{ "doveadm(a)b@b.test): Error: x", "a)b@b.test" },
	{ "doveadm(a@b.test): Error: Mailbox x): Error: y: Failed", "a@b.test" },
	{ "doveadm(a@b.test): Warning: x", NULL },
	{ "doveadm(a@b.test): Info: x", NULL },
	{ "doveadm: Error: x", NULL },
	{ "doveadm(): Error: x", NULL },
	{ "doveadm(a@b.test: Error: x", NULL },
	{ "Fatal: Unknown command 'quota', but plugin quota exists", NULL },
	{ " doveadm(a@b.test): Error: x", NULL },
	{ "doveadm(", NULL },
	{ "", NULL },
};

static void test_errors(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, errors) {
		char *line = unit_exact(row->line, strlen(row->line) + 1);

		WANT_TEXT(row->line, sizes_read_error(line), row->user);
		free(line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_rows),
		UNIT_TEST(test_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
