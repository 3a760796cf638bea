/* SPDX-License-Identifier: MIT */
/*
 * Which of MUM's TLS policies smtp(8) refuses. tests/stack/test_mumctl_tls.py asks a
 * real Postfix about these and more.
 */
#include "tests/unit/unit.h"

#include "mumctl/check/check.h"

#define DIGEST "AB:CD:ef:01"

enum { UNKNOWN, POSTFIX_3_7 = 307, POSTFIX_3_9 = 309, POSTFIX_3_10 = 310, POSTFIX_3_11 };

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
		const char *fault = tls_policy_fault(cases[i].policy, cases[i].params,
						     POSTFIX_3_7);
		bool good = cases[i].fault == NULL
				    ? fault == NULL
				    : fault != NULL && strstr(fault, cases[i].fault) != NULL;

		if (!good)
			fail_msg("\"%s %s\": %s", cases[i].policy, cases[i].params,
				 fault != NULL ? fault : "no fault");
	}
}

/* What a later Postfix accepts; an earlier one refuses what it does not know. */
static const struct {
	const char *policy, *params;
	unsigned since;
	const char *fault;	/* of the versions since then; NULL: none */
} later[] = {
	{ "dane", "enable_rpk=yes", POSTFIX_3_9, NULL },
	{ "dane", "enable_rpk=perhaps", POSTFIX_3_9, "neither yes nor no" },
	{ "secure", "policy_type=sts", POSTFIX_3_10, NULL },
	{ "secure", "POLICY_TYPE=STS", POSTFIX_3_10, NULL },
	{ "may", "policy_type=no-policy-found", POSTFIX_3_10, NULL },
	{ "may", "policy_type=tlsa", POSTFIX_3_10, "policy_type is none" },
	{ "may", "policy_type=sts policy_type=sts", POSTFIX_3_10, "twice" },
	{ "secure", "policy_type=sts policy_domain=a.test policy_ttl=86400 policy_string=a "
	  "policy_string=b mx_host_pattern=*.a.test mx_host_pattern=mx.b.test",
	  POSTFIX_3_10, NULL },
	{ "secure", "policy_domain=a.test policy_type=sts", POSTFIX_3_10, NULL },
	{ "secure", "policy_domain=a.test", POSTFIX_3_10, "needs policy_type" },
	{ "secure", "policy_ttl=1", POSTFIX_3_10, "needs policy_type" },
	{ "secure", "policy_string=x", POSTFIX_3_10, "needs policy_type" },
	{ "secure", "mx_host_pattern=x", POSTFIX_3_10, "needs policy_type" },
	{ "secure", "policy_failure=sts-policy-invalid", POSTFIX_3_10, "needs policy_type" },
	{ "secure", "policy_type=sts policy_domain=a..test", POSTFIX_3_10, "no host name" },
	{ "secure", "policy_type=sts policy_domain=a policy_domain=b", POSTFIX_3_10, "twice" },
	{ "secure", "policy_type=sts policy_ttl=", POSTFIX_3_10, "policy_ttl is no number" },
	{ "secure", "policy_type=sts policy_ttl=1d", POSTFIX_3_10, "policy_ttl is no number" },
	{ "secure", "policy_type=sts policy_ttl=2147483647", POSTFIX_3_10, NULL },
	{ "secure", "policy_type=sts policy_ttl=2147483648", POSTFIX_3_10,
	  "policy_ttl is no number" },
	{ "secure", "policy_type=sts policy_ttl=1 policy_ttl=1", POSTFIX_3_10, "twice" },
	{ "may", "policy_type=sts policy_failure=validation-failure", POSTFIX_3_10, NULL },
	{ "may", "policy_type=sts policy_failure=sts-webpki-invalid", POSTFIX_3_10, NULL },
	{ "may", "policy_type=sts policy_failure=sts-policy-fetch-error", POSTFIX_3_10, NULL },
	{ "may", "policy_type=sts policy_failure=none", POSTFIX_3_10, "failure is unknown" },
	{ "may", "policy_type=sts policy_failure=sts-policy-invalid "
	  "policy_failure=sts-policy-invalid", POSTFIX_3_10, "twice" },
	{ "secure", "policy_type=sts { policy_string = version: STSv1, mode: enforce }",
	  POSTFIX_3_10, NULL },
	{ "secure", "{match=mx.test},{ ciphers = high }", POSTFIX_3_10, NULL },
	{ "may", "{ protocols = !SSLv2, !SSLv3 }", POSTFIX_3_10, NULL },
	{ "may", "{ protocols = !SSLv2, !SSLv9 }", POSTFIX_3_10, "unknown one" },
	{ "may", "{ ciphers = high }x", POSTFIX_3_10, "not NAME=VALUE" },
	{ "may", "{ ciphers = high", POSTFIX_3_10, "not NAME=VALUE" },
	{ "may", "{ ciphers high }", POSTFIX_3_10, "not NAME=VALUE" },
	{ "may", "{ two words = high }", POSTFIX_3_10, "not NAME=VALUE" },
	{ "may", "{ = high }", POSTFIX_3_10, "not NAME=VALUE" },
	{ "may", "{}", POSTFIX_3_10, "not NAME=VALUE" },
	{ "may", "{ { ciphers = high } }", POSTFIX_3_10, "not NAME=VALUE" },
	{ "may", "nonsense=1", POSTFIX_3_10, "unknown attribute" },
};

static bool is_fault(const char *fault, const char *want)
{
	return want == NULL ? fault == NULL : fault != NULL && strstr(fault, want) != NULL;
}

static void test_a_version_takes_what_it_knows(void **state)
{
	static const unsigned versions[] = { POSTFIX_3_7, POSTFIX_3_9, POSTFIX_3_10,
					     POSTFIX_3_11, UNKNOWN };

	(void)state;
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		for (size_t v = 0; v < sizeof(versions) / sizeof(versions[0]); v++) {
			unsigned version = versions[v];
			const char *fault = tls_policy_fault(later[i].policy, later[i].params,
							     version);
			bool knows = version == UNKNOWN || version >= later[i].since;

			if (knows ? !is_fault(fault, later[i].fault) : fault == NULL)
				fail_msg("\"%s %s\" of %u: %s", later[i].policy,
					 later[i].params, version,
					 fault != NULL ? fault : "no fault");
		}
	}
}

static const char *fault_of_label(size_t len)
{
	char params[128] = "servername=";

	memset(params + strlen(params), 'l', len);
	return tls_policy_fault("encrypt", params, POSTFIX_3_7);
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
		cmocka_unit_test(test_a_version_takes_what_it_knows),
		cmocka_unit_test(test_a_label_has_63_characters_at_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
