/* SPDX-License-Identifier: MIT */
/* Which service of Postfix lets a login send as anybody, by the lines of postconf(1). */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "mumctl/sender-checks.h"

#define MISMATCH "smtpd_sender_restrictions = reject_sender_login_mismatch"
#define KNOWN "smtpd_sender_restrictions = permit_mynetworks, reject_known_sender_login_mismatch"
#define OURS "smtpd_sender_restrictions = check_policy_service { unix:mum/policy, " \
	     "policy_context=sender, timeout=10s }"
#define EMPTY "smtpd_sender_restrictions ="
#define LOGINS "smtpd_sasl_auth_enable = yes"

enum { LINES_MAX = 6 };

static const struct {
	const char *name;
	const char *lines[LINES_MAX];
	enum sender_check check;
	const char *service;
} cases[] = {
	{ "no Postfix", { NULL }, SENDER_CHECK_UNKNOWN, NULL },
	{ "as it comes", { EMPTY, "smtpd_sasl_auth_enable = no" }, SENDER_CHECK_NONE, NULL },
	{ "in main.cf", { MISMATCH, LOGINS }, SENDER_CHECK_MISMATCH, NULL },
	{ "in main.cf for a service", { MISMATCH, "a/inet/" LOGINS }, SENDER_CHECK_MISMATCH,
	  "a/inet" },
	{ "in a service", { EMPTY, "a/inet/" LOGINS, "a/inet/" MISMATCH }, SENDER_CHECK_MISMATCH,
	  "a/inet" },
	{ "of recipients",
	  { EMPTY, "a/inet/" LOGINS,
	    "a/inet/smtpd_recipient_restrictions = reject_authenticated_sender_login_mismatch" },
	  SENDER_CHECK_MISMATCH, "a/inet" },
	{ "known", { EMPTY, "a/inet/" LOGINS, "a/inet/" KNOWN }, SENDER_CHECK_KNOWN, "a/inet" },
	{ "ours", { EMPTY, "a/inet/" LOGINS, "a/inet/" OURS }, SENDER_CHECK_OURS, "a/inet" },
	{ "port 465 was forgotten",
	  { EMPTY, "a/inet/" LOGINS, "a/inet/" OURS, "b/inet/" LOGINS }, SENDER_CHECK_NONE,
	  "b/inet" },
	{ "it takes main.cf's away", { MISMATCH, "a/inet/" LOGINS, "a/inet/" EMPTY },
	  SENDER_CHECK_NONE, "a/inet" },
	{ "without logins it does not count",
	  { EMPTY, "a/inet/" LOGINS, "a/inet/" OURS, "b/inet/" EMPTY }, SENDER_CHECK_OURS, "a/inet" },
	{ "logins everywhere but there",
	  { EMPTY, LOGINS, "a/inet/smtpd_sasl_auth_enable = no", "a/inet/" OURS },
	  SENDER_CHECK_NONE, NULL },
	{ "an address", { EMPTY, "[::1]:587/inet/" LOGINS, "[::1]:587/inet/" KNOWN },
	  SENDER_CHECK_KNOWN, "[::1]:587/inet" },
};

static void add(struct sender_checks *checks, const char *line)
{
	const char *equals = strstr(line, " =");
	char *service = xstrndup(line, (size_t)(equals - line)), *slash = strrchr(service, '/');

	if (slash != NULL)
		*slash = '\0';
	sender_checks_add(slash != NULL ? service : NULL, slash != NULL ? slash + 1 : service,
			  equals[2] == ' ' ? equals + 3 : equals + 2, checks);
	free(service);
}

static void test_the_laxest_counts(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, cases) {
		struct sender_checks checks;
		const char *service;

		sender_checks_init(&checks);
		for (int i = 0; i < LINES_MAX && row->lines[i] != NULL; i++)
			add(&checks, row->lines[i]);
		WANT_NUMBER(row->name, sender_checks_laxest(&checks, &service), row->check);
		WANT_TEXT(row->name, service, row->service);
		sender_checks_clear(&checks);
	}
}

static void test_services_have_a_limit(void **state)
{
	struct sender_checks checks;
	const char *service;

	(void)state;
	sender_checks_init(&checks);
	for (int i = 0; i < SENDER_SERVICES_MAX + 9; i++) {
		char name[64];

		snprintf(name, sizeof(name), "%d/inet", i);
		sender_checks_add(name, "smtpd_sasl_auth_enable", "yes", &checks);
	}
	WANT_NUMBER("services", checks.count, SENDER_SERVICES_MAX);
	(void)sender_checks_laxest(&checks, &service);
	sender_checks_clear(&checks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_the_laxest_counts),
		UNIT_TEST(test_services_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
