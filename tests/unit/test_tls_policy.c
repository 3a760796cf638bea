/* SPDX-License-Identifier: MIT */
/*
 * Which TLS policies of MUM's smtp(8) refuses. tests/stack/test_mumctl_tls.py asks a
 * real Postfix about these and more.
 */
#include "tests/unit/unit.h"

#include "mumctl/check.h"

#define DIGEST "AB:CD:ef:01"

static const struct {
	const char *policy, *params;
	const char *fault;	/* a part of it; NULL: none */
} cases[] = {
	{ "none", "", NULL },
	{ "none", "nonsense", NULL },
	{ "may", "", NULL },
	{ "MAY", "ciphers=high exclude=aNULL", NULL },
	{ "dane-only", "", NULL },
	{ "opportunistic", "", "unknown policy" },
	{ "", "", "unknown policy" },
	{ "may", " ,\t\r\n", NULL },
	{ "may", "nonsense", "not NAME=VALUE" },
	{ "may", "=value", "not NAME=VALUE" },
	{ "may", "nonsense=1", "unknown attribute" },
	{ "may", "ciphers=", "none of" },
	{ "may", "ciphers=hihg", "none of" },
	{ "may", "ciphers=high CIPHERS=low", "twice" },
	{ "may", "protocols=", NULL },
	{ "may", "protocols=TLSv1.2 protocols=TLSv1.3", "twice" },
	{ "may", "protocols=!SSLv2:>=TLSv1.2", NULL },
	{ "may", "protocols=TLSv9", "unknown one" },
	{ "may", "exclude=!MD5", "one of !" },
	{ "may", "exclude=a,exclude=b", "twice" },
	{ "may", "connection_reuse=YES", NULL },
	{ "may", "connection_reuse=perhaps", "neither yes nor no" },
	{ "encrypt", "match=nexthop", "does not go with" },
	{ "verify", "match=nexthop", NULL },
	{ "verify", "match=", "no value" },
	{ "secure", "match=a match=b", NULL },
	{ "secure", "tafile=/etc/ca.pem", NULL },
	{ "secure", "tafile=", "tafile" },
	{ "encrypt", "tafile=/etc/ca.pem", "tafile" },
	{ "fingerprint", "", "needs match" },
	{ "fingerprint", "ciphers=high", "needs match" },
	{ "fingerprint", "match=" DIGEST, NULL },
	{ "fingerprint", "match=no|" DIGEST, NULL },
	{ "fingerprint", "match=no match=" DIGEST, NULL },
	{ "fingerprint", "match=no", "needs match" },
	{ "fingerprint", "match=ABC", "needs match" },
	{ "fingerprint", "match=AB:", "needs match" },
	{ "fingerprint", "match=AB::CD", "needs match" },
	{ "fingerprint", "match=|", "needs match" },
	{ "encrypt", "servername=mx.test", NULL },
	{ "encrypt", "servername=a_b-c.1", NULL },
	{ "encrypt", "servername=", "no host name" },
	{ "encrypt", "servername=.mx", "no host name" },
	{ "encrypt", "servername=mx.", "no host name" },
	{ "encrypt", "servername=a..b", "no host name" },
	{ "encrypt", "servername=-a.b", "no host name" },
	{ "encrypt", "servername=a.b-", "no host name" },
	{ "encrypt", "servername=a/b", "no host name" },
	{ "encrypt", "servername=10.1", "no host name" },
};

static void test_a_policy_is_refused_as_postfix_refuses_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *fault = tls_policy_fault(cases[i].policy, cases[i].params);
		bool good = cases[i].fault == NULL
				    ? fault == NULL
				    : fault != NULL && strstr(fault, cases[i].fault) != NULL;

		if (!good)
			fail_msg("\"%s %s\": %s", cases[i].policy, cases[i].params,
				 fault != NULL ? fault : "no fault");
	}
}

static const char *fault_of_label(size_t len)
{
	char params[128] = "servername=";

	memset(params + strlen(params), 'l', len);
	return tls_policy_fault("encrypt", params);
}

static void test_a_label_has_63_characters_at_most(void **state)
{
	(void)state;
	assert_null(fault_of_label(63));
	assert_non_null(fault_of_label(64));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_policy_is_refused_as_postfix_refuses_it),
		cmocka_unit_test(test_a_label_has_63_characters_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
