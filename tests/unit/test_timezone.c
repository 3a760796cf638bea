/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <time.h>

#include "common/timezone.h"

/* 2026-03-29 01:00:00 UTC: Berlin goes from +1 to +2; 2026-10-25 01:00:00 back. */
enum { SPRING = 1774746000, AUTUMN = 1792890000, YEAR_2026 = 1767225600, DAY = 86400 };

struct row {
	const char *name, *zone;
	time_t start, when;	/* of the process; of the question */
	const char *want;
};

static void check(const struct row *row)
{
	struct timezone_table *table = timezone_new(row->zone, row->start);
	char text[TIMEZONE_TEXT_SIZE];

	timezone_format(table, row->when, text);
	WANT_TEXT(row->name, text, row->want);
	timezone_free(&table);
	WANT(row->name, table == NULL);
}

static void test_zones(void **state)
{
	static const struct row rows[] = {
		{ "UTC", "UTC", YEAR_2026, YEAR_2026, "2026-01-01 00:00:00" },
		{ "UTC, the epoch", "UTC", YEAR_2026, 0, "1970-01-01 00:00:00" },
		{ "UTC, a leap day", "UTC", YEAR_2026, 1709208000, "2024-02-29 12:00:00" },
		{ "west", "America/New_York", YEAR_2026, YEAR_2026, "2025-12-31 19:00:00" },
		{ "no whole hours", "Asia/Kolkata", YEAR_2026, YEAR_2026,
		  "2026-01-01 05:30:00" },
		{ "half an hour of summer", "Australia/Lord_Howe", YEAR_2026, YEAR_2026,
		  "2026-01-01 11:00:00" },
		{ "the other hemisphere, winter", "Australia/Lord_Howe", YEAR_2026,
		  1782864000, "2026-07-01 10:30:00" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		check(row);
}

static void test_summer_and_winter(void **state)
{
	static const struct row rows[] = {
		{ "winter", "Europe/Berlin", YEAR_2026, YEAR_2026, "2026-01-01 01:00:00" },
		{ "a second before summer", "Europe/Berlin", YEAR_2026, SPRING - 1,
		  "2026-03-29 01:59:59" },
		{ "the first second of summer", "Europe/Berlin", YEAR_2026, SPRING,
		  "2026-03-29 03:00:00" },
		{ "a second before winter", "Europe/Berlin", YEAR_2026, AUTUMN - 1,
		  "2026-10-25 02:59:59" },
		{ "the first second of winter", "Europe/Berlin", YEAR_2026, AUTUMN,
		  "2026-10-25 02:00:00" },
		{ "started in summer", "Europe/Berlin", SPRING + DAY, SPRING + DAY,
		  "2026-03-30 03:00:00" },
		{ "started just before the change", "Europe/Berlin", SPRING - 1, SPRING,
		  "2026-03-29 03:00:00" },
		{ "started just after the change, asked before it", "Europe/Berlin",
		  SPRING + 10, SPRING - 1, "2026-03-29 01:59:59" },
		{ "a clock that was set back a little", "Europe/Berlin", SPRING + 3600,
		  SPRING - 3600, "2026-03-29 01:00:00" },
		{ "nine years on, summer", "Europe/Berlin", YEAR_2026, 2067681600,
		  "2035-07-10 14:00:00" },
		{ "nine years on, winter", "Europe/Berlin", YEAR_2026, 2051222400,
		  "2035-01-01 01:00:00" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		check(row);
}

static void test_names(void **state)
{
	static const struct {
		const char *name;
		bool known;
	} rows[] = {
		{ "UTC", true },
		{ "Europe/Berlin", true },
		{ "America/Argentina/Buenos_Aires", true },
		{ "", false },
		{ "Europe/Nowhere", false },
		{ "europe/berlin", false },
		{ "Europe", false },		/* a directory */
		{ "Europe/", false },
		{ "zone.tab", false },		/* a file of another kind */
		{ "/etc/passwd", false },
		{ "/usr/share/zoneinfo/Europe/Berlin", false },
		{ "../../../etc/passwd", false },
		{ "Europe/../Europe/Berlin", false },
		{ "CET-1CEST", false },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		WANT(row->name, timezone_is_known(row->name) == row->known);
}

static void test_the_environment_is_as_before(void **state)
{
	struct timezone_table *table;

	(void)state;
	unsetenv("TZ");
	table = timezone_new("Europe/Berlin", YEAR_2026);
	WANT("unset stays unset", getenv("TZ") == NULL);
	timezone_free(&table);
	setenv("TZ", "Asia/Tokyo", 1);
	table = timezone_new("Europe/Berlin", YEAR_2026);
	WANT_TEXT("set stays set", getenv("TZ"), "Asia/Tokyo");
	WANT("and local time is of it", localtime(&(time_t){ YEAR_2026 })->tm_hour == 9);
	timezone_free(&table);
	timezone_free(&table);
	unsetenv("TZ");
}

static void test_the_environment_does_not_matter(void **state)
{
	static const char *const zones[] = { "UTC", "Europe/Berlin" };
	static const char *const want[] = { "2026-01-01 00:00:00", "2026-01-01 01:00:00" };

	(void)state;
	setenv("TZ", "Asia/Tokyo", 1);
	for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
		struct timezone_table *table = timezone_new(zones[i], YEAR_2026);
		char text[TIMEZONE_TEXT_SIZE];

		timezone_format(table, YEAR_2026, text);
		WANT_TEXT(zones[i], text, want[i]);
		timezone_free(&table);
	}
	unsetenv("TZ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_zones),
		UNIT_TEST(test_summer_and_winter),
		UNIT_TEST(test_names),
		UNIT_TEST(test_the_environment_is_as_before),
		UNIT_TEST(test_the_environment_does_not_matter),
	};

	return cmocka_run_group_tests_name("timezone", tests, NULL, NULL);
}
