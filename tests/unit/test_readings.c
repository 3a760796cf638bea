/* SPDX-License-Identifier: MIT */
/*
 * Each "want" is what trivial-rewrite(8) of Postfix 3.7 answered, once with localhost in
 * mydestination and once without.
 */
#include "tests/unit/unit.h"

#include "common/buf.h"
#include "common/readings.h"
#include "common/xalloc.h"

#define TOO_MANY "too many"

static const struct reading_settings usual = { true, true, "origin.test", "" };

/* All readings in a row; "?" marks those that need a local domain. */
static char *join(const char *text, const struct reading_settings *settings)
{
	struct buf all = BUF_INIT(100000);
	char *exact = unit_exact(text, strlen(text) + 1);
	struct readings readings;

	if (readings_make(&readings, exact, settings)) {
		for (size_t i = 0; i < readings.count; i++)
			buf_printf(&all, "%s%s%s", i > 0 ? " " : "",
				   readings.items[i].if_local ? "?" : "",
				   readings.items[i].text);
	} else {
		buf_puts(&all, TOO_MANY);
	}
	readings_free(&readings);
	free(exact);
	return buf_steal(&all);
}

static void want_readings(const char *text, const struct reading_settings *settings,
			  const char *want)
{
	char *got = join(text, settings);

	WANT_TEXT(text, got, want);
	free(got);
}

static const struct {
	const char *text, *want;
} usual_rows[] = {
	{ "u@d", "u@d" },
	{ "U+x@D.test", "U+x@D.test" },
	{ "a.b@d", "a.b@d" },
	{ "a b@d", "a b@d" },
	{ "j\xc3\xb6rg@b\xc3\xbc.test", "j\xc3\xb6rg@b\xc3\xbc.test" },
	/* Without '@'. */
	{ "u", "u@origin.test" },
	{ "a b", "a b@origin.test" },
	{ "u%d", "u@d" },
	{ "d!u", "u@d" },
	{ "u%c%d", "u%c@d ?u@c" },
	{ "d!c!u", "c!u@d ?u@c" },
	{ "d!u%c", "u%c@d ?u@c" },
	{ "d!", "@d" },
	{ "d.!u", "u@d" },
	{ "u%d.", "u%d.@origin.test ?u@d" },
	/* Trailing dots. */
	{ "u@d.", "u@d" },
	{ "u@d..", "u@d.." },
	{ "u@.", "u@." },
	/* Local domains: the local part is read again. */
	{ "u%d@localhost", "u%d@localhost ?u@d" },
	{ "d!u@localhost", "d!u@localhost ?u@d" },
	{ "u%d@[127.0.0.1]", "u%d@[127.0.0.1] ?u@d" },
	{ "u@d@localhost", "u@d@localhost ?u@d" },
	{ "u@d.@localhost", "u@d.@localhost ?u@d" },
	{ "u%d%c@b", "u%d%c@b ?u%d@c ?u@d" },
	{ "d!u%c@b", "d!u%c@b ?u%c@d ?u@c" },
	{ "u@localhost", "u@localhost" },
	/* An empty domain is local. */
	{ "u@", "u@" },
	{ "u%d@", "u%d@ u@d" },
	{ "u%d%", "u%d@ u@d" },
	{ "!u%d", "u%d@ u@d" },
	{ "u%d@@c", "u%d@@c ?u@d" },
	/* Quoted local parts are opened. */
	{ "a b%d@localhost", "a b%d@localhost ?a b@d" },
	{ "d!a b@localhost", "d!a b@localhost ?a b@d" },
	{ "!d!a b@localhost", "!d!a b@localhost ?ab@d" },
	{ "a b%d", "a b%d@origin.test ?a b@d" },
	/* Source routes. */
	{ "@c:u@d", "u@d" },
	{ "@c,@b:u%d", "u@d" },
	{ "@c:", "@origin.test" },
	/* What is left out of a domain. */
	{ "u@d .test", "u@d.test" },
	{ "u@d.test ", "u@d.test" },
	{ "u@\td.test", "u@d.test" },
	{ "u@\"d.test\"", "u@d.test" },
	{ "u@\\d.test", "u@d.test" },
	{ "u@d.te\\", "u@d.te" },
	{ "u@\"d.te", "u@d.te" },
	{ "u@[d", "u@[d]" },
	{ "u@d(c\\)(n).test", "u@d (c\\)(n).test" },
	{ "u@d,e", "u@d, e" },
	{ "u@d<e", "u@d <e" },
	{ "u@d e", "u@d e" },
	/* Nothing at all. */
	{ "", "" },
	{ "@", "@" },
	{ "@d", "@d" },
	{ "%d", "@d" },
};

static void test_usual_settings(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, usual_rows)
		want_readings(row->text, &usual, row->want);
}

static void test_other_settings(void **state)
{
	static const struct {
		struct reading_settings settings;
		const char *text, *want;
	} rows[] = {
		{ { false, true, "o", "" }, "u%d", "u%d@o" },
		{ { false, true, "o", "" }, "u%d@c", "u%d@c" },
		{ { false, true, "o", "" }, "d!u%c", "u%c@d" },
		{ { false, true, "o", "" }, "a b%d@c", "a b%d@c" },
		{ { true, false, "o", "" }, "d!u", "d!u@o" },
		{ { true, false, "o", "" }, "d!u@c", "d!u@c" },
		{ { true, false, "o", "" }, "d!u%c", "d!u@c" },
		{ { true, false, "o", "" }, "d!a b@c", "d!a b@c" },
		{ { false, false, "o", "" }, "u@d@c", "u@d@c ?u@d" },
		{ { true, true, "o.", "" }, "u", "u@o" },
		{ { true, true, "", "" }, "u", "u" },
		{ { true, true, "o", "test" }, "u", "u@o.test" },
		{ { true, true, "o", "test" }, "u@d", "u@d.test" },
		{ { true, true, "o", "test" }, "u@d.", "u@d" },
		{ { true, true, "o", "test" }, "u@d.e", "u@d.e" },
		{ { true, true, "o", "test" }, "u@[1]", "u@[1]" },
		{ { true, true, "o", "test" }, "u@", "u@" },
		{ { true, true, "o", "test" }, "d!u@c", "d!u@c.test ?u@d.test" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		want_readings(row->text, &row->settings, row->want);
}

/* The piece count times, then the end; caller frees. */
static char *many(const char *piece, size_t count, const char *end)
{
	char *pieces = unit_repeat(piece, count);
	char *text = xasprintf("%s%s", pieces, end);

	free(pieces);
	return text;
}

static void test_limits(void **state)
{
	static const struct {
		const char *name, *piece, *end;
		size_t count;
		bool fits;
	} rows[] = {
		{ "eight readings", "%d", "@d", READINGS_MAX - 1, true },
		{ "nine readings", "%d", "@d", READINGS_MAX, false },
		{ "eight by bangs", "d!", "@d", READINGS_MAX - 1, true },
		{ "nine by bangs", "d!", "@d", READINGS_MAX, false },
		{ "the longest text", "u", "@d", READING_TEXT_MAX - 2, true },
		{ "a longer one", "u", "@d", READING_TEXT_MAX - 1, false },
		{ "a few empty domains", "@", "d", 2 * READINGS_MAX, true },
		{ "empty domains in plenty", "@", "d", 2 * READINGS_MAX + 1, false },
		{ "words in plenty", "a ", "@d", 2000, true },
		{ "dots in plenty", "u@.", ".", 1300, false },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char *text = many(row->piece, row->count, row->end);
		struct readings readings;

		WANT(row->name, readings_make(&readings, text, &usual) == row->fits);
		WANT(row->name, readings.count <= READINGS_MAX);
		readings_free(&readings);
		free(text);
	}
}

static void test_domains(void **state)
{
	static const struct {
		const char *text, *domain;
	} rows[] = {
		{ "u@d", "d" }, { "u@c@d", "d" }, { "u", "" }, { "", "" }, { "u@", "" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct reading reading = { row->text, false };

		WANT_TEXT(row->text, reading_domain(&reading), row->domain);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_usual_settings),
		UNIT_TEST(test_other_settings),
		UNIT_TEST(test_limits),
		UNIT_TEST(test_domains),
	};

	return cmocka_run_group_tests_name("readings", tests, NULL, NULL);
}
