/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "common/send-limit.h"

enum { HOUR = 3600000 };	/* ms */

static const struct {
	const char *name, *text;
	const char *login;	/* NULL: not an entry */
	unsigned rate, period, burst;
} rows[] = {
	{ "the manual's", "news@example.org 5000/1h 10000", "news@example.org", 5000, HOUR,
	  10000 },
	{ "blanks around", "  a@b.test   5/1h   10 ", "a@b.test", 5, HOUR, 10 },
	{ "a login with blanks", "with space@b.test 5/1h 10", "with space@b.test", 5, HOUR, 10 },
	{ "a login that looks like a rate", "1/1h 5/1h 10", "1/1h", 5, HOUR, 10 },
	{ "a login without a domain", "root 5/1h 10", "root", 5, HOUR, 10 },
	{ "the least", "a@b.test 1/1m 1", "a@b.test", 1, 60000, 1 },
	{ "the most", "a@b.test 1000000/1d 1000000", "a@b.test", 1000000, 86400000, 1000000 },
	{ "seconds", "a@b.test 1/90s 1", "a@b.test", 1, 90000, 1 },

	{ "nothing", "", NULL, 0, 0, 0 },
	{ "blanks", "   ", NULL, 0, 0, 0 },
	{ "no login", "5000/1h 10000", NULL, 0, 0, 0 },
	{ "no burst", "a@b.test 5000/1h", NULL, 0, 0, 0 },
	{ "no rate", "a@b.test 10000", NULL, 0, 0, 0 },
	{ "no period", "a@b.test 5000 10000", NULL, 0, 0, 0 },
	{ "an empty period", "a@b.test 5000/ 10000", NULL, 0, 0, 0 },
	{ "an empty rate", "a@b.test /1h 10000", NULL, 0, 0, 0 },
	{ "two slashes", "a@b.test 5/1h/1h 10", NULL, 0, 0, 0 },
	{ "a blank before the period", "a@b.test 5/ 1h 10", NULL, 0, 0, 0 },
	{ "a period without a unit", "a@b.test 5/3600 10", NULL, 0, 0, 0 },
	{ "a rate of none", "a@b.test 0/1h 10", NULL, 0, 0, 0 },
	{ "a burst of none", "a@b.test 5/1h 0", NULL, 0, 0, 0 },
	{ "a negative rate", "a@b.test -5/1h 10", NULL, 0, 0, 0 },
	{ "one over the most", "a@b.test 1000001/1h 10", NULL, 0, 0, 0 },
	{ "a burst over the most", "a@b.test 5/1h 1000001", NULL, 0, 0, 0 },
	{ "too short a period", "a@b.test 5/59999ms 10", NULL, 0, 0, 0 },
	{ "too long a period", "a@b.test 5/86400001ms 10", NULL, 0, 0, 0 },
	{ "over 64 bits", "a@b.test 5/1h 18446744073709551617", NULL, 0, 0, 0 },
	{ "longer than any number", "a@b.test 5/1h 000000000000000000000000010", NULL, 0, 0, 0 },
	{ "something behind it", "a@b.test 5/1h 10 x", NULL, 0, 0, 0 },
};

static void test_entries(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, rows) {
		char *text = unit_exact(row->text, strlen(row->text) + 1);
		struct send_limit limit;
		const char *why = NULL;
		bool good = send_limit_parse(text, &limit, &why);

		WANT_NUMBER(row->name, good, row->login != NULL);
		if (good && row->login != NULL) {
			WANT(row->name, limit.login_len == strlen(row->login) &&
				memcmp(limit.login, row->login, limit.login_len) == 0);
			WANT_NUMBER(row->name, limit.rate, row->rate);
			WANT_NUMBER(row->name, limit.period, row->period);
			WANT_NUMBER(row->name, limit.burst, row->burst);
		} else {
			WANT(row->name, why != NULL);
		}
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { UNIT_TEST(test_entries) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
