/* SPDX-License-Identifier: MIT */
/* The options about quota, and what is made of them. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "postfix-policy/quota/settings.h"
#include "tests/unit/scratch.h"

/* NULL: it is refused, and errors hold "want unix:/PATH". */
static struct mum_config *load(const char *options)
{
	struct scratch scratch;
	struct mum_config *config;
	char text[256], *path, *errors;

	scratch_init(&scratch);
	snprintf(text, sizeof(text), "policy { %s }\n", options);
	path = scratch_file(&scratch, "mum.conf", 0640, text, strlen(text));
	config = mum_config_load(path, MUM_ROLE_POSTFIX, &errors);
	WANT(options, config != NULL || strstr(errors, "want unix:/PATH") != NULL);
	free(errors);
	free(path);
	scratch_free(&scratch);
	return config;
}

static void test_all_of_them(void **state)
{
	struct mum_config *config =
		load("quota = warn\n quota_status = \"unix:/q\"\n quota_reply = reject\n"
		     "quota_recipients = 3\n quota_connections = 2\n quota_deadline = 500ms\n"
		     "quota_ttl = 2s");
	struct quota_settings settings;

	(void)state;
	assert_non_null(config);
	settings = quota_settings(config);
	WANT_NUMBER("quota", config->policy.quota, MUM_CHECK_WARN);
	WANT_NUMBER("quota_reply", config->policy.quota_reply, MUM_QUOTA_REJECT);
	WANT_NUMBER("quota_recipients", config->policy.quota_recipients, 3);
	WANT_TEXT("quota_status", settings.path, "/q");
	WANT_NUMBER("quota_connections", settings.connections, 2);
	WANT_NUMBER("quota_deadline", settings.deadline, 500);
	WANT_NUMBER("quota_ttl", settings.ttl, 2000);
	mum_config_free(&config);
}

static void test_it_is_off(void **state)
{
	struct mum_config *config = load("");

	(void)state;
	assert_non_null(config);
	WANT_NUMBER("quota", config->policy.quota, MUM_CHECK_OFF);
	WANT_TEXT("nobody asks", quota_settings(config).path, NULL);
	mum_config_free(&config);
}

static void test_only_unix_sockets(void **state)
{
	static const char *const rows[] = {
		"quota_status = \"inet:127.0.0.1:1\"", "quota_status = \"/q\"",
		"quota_status = \"unix:q\"",	       "quota_status = \"\"",
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		WANT(*row, load(*row) == NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_all_of_them),
		UNIT_TEST(test_it_is_off),
		UNIT_TEST(test_only_unix_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
