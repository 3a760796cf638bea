/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "common/readings.h"
#include "common/rules.h"

enum { LAX, STRICT, STRICTER };

#define ALWAYS(verdict) { false, MUM_FOUND, (verdict), MUM_TEMPFAIL }
#define FOREIGN(verdict) { false, MUM_FOUND, (verdict), MUM_NOT_FOUND }
#define OURS(verdict) { false, MUM_FOUND, (verdict), MUM_FOUND }
#define LOCAL(verdict, domain) { true, MUM_FOUND, (verdict), (domain) }
#define TROUBLE(if_local) { (if_local), MUM_TEMPFAIL, LAX, MUM_NOT_FOUND }

static const struct {
	const char *name;
	size_t count;
	struct judged readings[READINGS_MAX];
	size_t end;		/* how many count */
	enum mum_status status;
	int verdict;
} rows[] = {
	{ "one", 1, { ALWAYS(STRICT) }, 1, MUM_FOUND, STRICT },
	{ "one lax", 1, { ALWAYS(LAX) }, 1, MUM_FOUND, LAX },
	{ "one without an answer", 1, { TROUBLE(false) }, 1, MUM_TEMPFAIL, LAX },
	{ "one of a broken mum.conf", 1,
	  { { false, MUM_MISCONFIGURED, LAX, MUM_FOUND } }, 1, MUM_MISCONFIGURED, LAX },
	{ "two, the first is stricter", 2, { ALWAYS(STRICT), ALWAYS(LAX) }, 2, MUM_FOUND, STRICT },
	{ "two, the second is", 2, { ALWAYS(LAX), ALWAYS(STRICT) }, 2, MUM_FOUND, STRICT },
	{ "the second, where the domain is foreign", 2,
	  { FOREIGN(LAX), LOCAL(STRICT, MUM_TEMPFAIL) }, 2, MUM_FOUND, STRICT },
	{ "not the second, where the domain is ours", 2,
	  { OURS(LAX), LOCAL(STRICT, MUM_TEMPFAIL) }, 1, MUM_FOUND, LAX },
	{ "nor its trouble", 2, { OURS(STRICT), TROUBLE(true) }, 1, MUM_FOUND, STRICT },
	{ "its trouble, where the domain is foreign", 2,
	  { FOREIGN(STRICT), TROUBLE(true) }, 2, MUM_TEMPFAIL, STRICT },
	{ "the domain is not known", 2,
	  { ALWAYS(LAX), LOCAL(LAX, MUM_FOUND) }, 2, MUM_TEMPFAIL, LAX },
	{ "the domain is not known, for a broken mum.conf", 2,
	  { { false, MUM_FOUND, LAX, MUM_MISCONFIGURED }, LOCAL(LAX, MUM_FOUND) }, 2,
	  MUM_MISCONFIGURED, LAX },
	{ "the domain is not known, and nothing needs it", 2,
	  { ALWAYS(LAX), ALWAYS(STRICT) }, 2, MUM_FOUND, STRICT },
	{ "one that counts always, behind a domain of ours", 2, { OURS(LAX), ALWAYS(STRICT) },
	  2, MUM_FOUND, STRICT },
	{ "a third behind two foreign domains", 3,
	  { FOREIGN(LAX), LOCAL(LAX, MUM_NOT_FOUND), LOCAL(STRICTER, MUM_TEMPFAIL) },
	  3, MUM_FOUND, STRICTER },
	{ "none behind one of ours", 3,
	  { FOREIGN(LAX), LOCAL(STRICT, MUM_FOUND), LOCAL(STRICTER, MUM_TEMPFAIL) },
	  2, MUM_FOUND, STRICT },
	{ "none behind that, either", 3,
	  { OURS(LAX), LOCAL(STRICT, MUM_NOT_FOUND), LOCAL(STRICTER, MUM_TEMPFAIL) },
	  1, MUM_FOUND, LAX },
	{ "all eight", 8,
	  { FOREIGN(LAX), LOCAL(LAX, MUM_NOT_FOUND), LOCAL(LAX, MUM_NOT_FOUND),
	    LOCAL(LAX, MUM_NOT_FOUND), LOCAL(LAX, MUM_NOT_FOUND), LOCAL(LAX, MUM_NOT_FOUND),
	    LOCAL(LAX, MUM_NOT_FOUND), LOCAL(STRICT, MUM_NOT_FOUND) }, 8, MUM_FOUND, STRICT },
};

static void test_strictest(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, rows) {
		int verdict = 99;

		WANT_NUMBER(row->name, rule_readings_end(row->readings, row->count), row->end);
		WANT_NUMBER(row->name, rule_strictest(row->readings, row->count, &verdict),
			    row->status);
		if (row->status == MUM_FOUND)
			WANT_NUMBER(row->name, verdict, row->verdict);
	}
}

/* The order of verdicts that rule_strictest() uses. */
static void test_order_of_verdicts(void **state)
{
	(void)state;
	WANT("recipients", RECIPIENT_UNKNOWN == 0 && RECIPIENT_ACCEPTED < RECIPIENT_SEND_ONLY &&
				   RECIPIENT_ACCEPTED < RECIPIENT_DEAD_ALIAS);
	WANT("senders", SENDER_ACCEPTED == 0 && SENDER_ACCEPTED < SENDER_NOT_OWNED &&
				SENDER_ACCEPTED < SENDER_NOT_LOGGED_IN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_strictest),
		UNIT_TEST(test_order_of_verdicts),
	};

	return cmocka_run_group_tests_name("rules about readings", tests, NULL, NULL);
}
