/* SPDX-License-Identifier: MIT */
/* A program's lines, and how it ended. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "common/buf.h"
#include "mumctl/run-lines.h"

static const struct {
	const char *name, *script;
	int status;
	const char *seen;	/* each line with its end; errors in brackets */
} rows[] = {
	{ "nothing", "", 0, "" },
	{ "lines", "echo a; echo; echo b", 0, "a\n\nb\n" },
	{ "errors", "echo a >&2", 0, "[a]\n" },
	{ "a line in parts", "printf a; sleep 0.05; echo b", 0, "ab\n" },
	{ "without an end", "echo a; printf b; printf c >&2", 0, "a\n" },
	{ "no input", "cat; echo a", 0, "a\n" },
	{ "exit", "exit 75", 75, "" },
	{ "signal", "kill -9 $$", 137, "" },
	{ "closed at once", "exec >&- 2>&-; sleep 0.05; exit 3", 3, "" },
	{ "path has sbin", "case $PATH in *:/usr/sbin:*) echo yes;; esac", 0, "yes\n" },
};

static void put_line(char *line, bool is_error, void *arg)
{
	buf_printf(arg, is_error ? "[%s]\n" : "%s\n", line);
}

static void test_scripts(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct buf seen = BUF_INIT(4096);
		const char *const argv[] = { "sh", "-c", row->script, NULL };
		char *text;

		WANT_NUMBER(row->name, run_lines(argv, put_line, &seen), row->status);
		text = buf_steal(&seen);
		WANT_TEXT(row->name, text, row->seen);
		free(text);
	}
}

static const struct {
	const char *name, *script;
	unsigned quiet_ms;
	int status;
	const char *seen;
} patience[] = {
	{ "an end like that of timeout(1)", "exit 124", 60000, 124, "" },
	{ "silent", "echo a; exec sleep 60", 200, RUN_SILENT, "a\n" },
	{ "half a line", "printf a; exec sleep 60", 200, RUN_SILENT, "" },
	{ "deaf to a friendly signal", "trap '' TERM; exec sleep 60", 200, RUN_SILENT, "" },
	{ "slow, but not silent", "for n in 1 2 3 4 5; do sleep 0.5; echo $n; done", 2000, 0,
	  "1\n2\n3\n4\n5\n" },
	{ "errors are lines, too", "for n in 1 2 3 4 5; do sleep 0.5; echo >&2; done", 2000, 0,
	  "[]\n[]\n[]\n[]\n[]\n" },
};

static void test_patience(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, patience) {
		struct buf seen = BUF_INIT(4096);
		const char *const argv[] = { "sh", "-c", row->script, NULL };
		char *text;

		WANT_NUMBER(row->name, run_lines_within(argv, row->quiet_ms, put_line, &seen),
			    row->status);
		text = buf_steal(&seen);
		WANT_TEXT(row->name, text, row->seen);
		free(text);
	}
}

static void test_no_program(void **state)
{
	const char *const argv[] = { "no-such-program", NULL };
	struct buf seen = BUF_INIT(4096);
	char *text;

	(void)state;
	WANT_NUMBER("as a shell says", run_lines(argv, put_line, &seen), 127);
	text = buf_steal(&seen);
	WANT_TEXT("and why", text, "[no-such-program: No such file or directory]\n");
	free(text);
}

struct counts {
	size_t lines, errors, longest;
};

static void count_line(char *line, bool is_error, void *arg)
{
	struct counts *counts = arg;
	size_t len = strlen(line);

	counts->lines += !is_error;
	counts->errors += is_error;
	counts->longest = len > counts->longest ? len : counts->longest;
}

/* More than a pipe holds, on both streams by turns: neither end waits for ever. */
static void test_much(void **state)
{
	const char *const argv[] = {
		"sh", "-c",
		"seq 1 50000 >&2; seq 1 50000; seq 1 50000 >&2; printf '%2000000d\\n' 1", NULL
	};
	struct counts counts = { 0, 0, 0 };

	(void)state;
	WANT_NUMBER("ends well", run_lines(argv, count_line, &counts), 0);
	WANT_NUMBER("lines", counts.lines, 50001);
	WANT_NUMBER("errors", counts.errors, 100000);
	WANT_NUMBER("cut", counts.longest, RUN_LINE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_scripts),
		UNIT_TEST(test_patience),
		UNIT_TEST(test_no_program),
		UNIT_TEST(test_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
