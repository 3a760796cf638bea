/* SPDX-License-Identifier: MIT */
/* Hashes that other programs made, and how mumctl names them. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "mumctl/verify.h"

/* Limits so wide that no hash here is refused for its cost. */
static const struct hash_limits limits = {
	.allow_prefix = true,
	.bcrypt_cost = 31,
	.argon2_memory = 1 << 30,
	.argon2_time = 100,
	.crypt_rounds = 1000000,
	.yescrypt_cost = 20,
};

static const struct {
	const char *name, *hash, *password;
	const char *described;
} cases[] = {
	{ "crypt_blowfish's own test",
	  "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U",
	  "bcrypt, cost 5" },
	{ "openssl passwd -1", "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/", "password", "MD5-CRYPT" },
	{ "SHA-crypt.txt, SHA-256",
	  "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!",
	  "SHA256-CRYPT, rounds 5000" },
	{ "SHA-crypt.txt, SHA-512",
	  "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLi"
	  "BFdcbYEdFCoEOfaS35inz1", "Hello world!", "SHA512-CRYPT, rounds 5000" },
	{ "libsodium's argon2id",
	  "$argon2id$v=19$m=1024,t=3,p=1$"
	  "9J6xHuoaYnHvtsfqMH1noA$kxtD1ln8S5NReSp9w8C/NfPij4i3L+2ZUiuKg7rcWFE", "password",
	  "argon2id, m=1024,t=3,p=1" },
	{ "libsodium's argon2i",
	  "$argon2i$v=19$m=1024,t=3,p=1$"
	  "ZGdca1FbqFH7Z9erSY5HpQ$EsP9Xe2RH7GkeXhdj8qIrT1osmO0x4RY+gOd360zqlQ", "password",
	  "argon2i, m=1024,t=3,p=1" },
};

static void test_a_known_hash_takes_its_password_and_no_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum hash_scheme scheme;
		const char *why;

		if (hash_check(cases[i].hash, &limits, &scheme) != NULL)
			fail_msg("%s: refused", cases[i].name);
		if (!verify_password(cases[i].password, cases[i].hash, scheme, &why))
			fail_msg("%s: wrong", cases[i].name);
		assert_null(why);
		if (verify_password("another", cases[i].hash, scheme, &why) ||
		    verify_password("", cases[i].hash, scheme, &why))
			fail_msg("%s: takes another password", cases[i].name);
		assert_null(why);
	}
}

static void test_a_description_has_neither_salt_nor_hash(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum hash_scheme scheme;
		char *text;

		assert_null(hash_check(cases[i].hash, &limits, &scheme));
		text = verify_describe(cases[i].hash, scheme);
		assert_string_equal(text, cases[i].described);
		free(text);
	}
}

static void test_a_prefix_is_for_dovecot_to_tell(void **state)
{
	static const char hash[] = "{PLAIN}secret";
	enum hash_scheme scheme;
	const char *why;
	char *text;

	(void)state;
	assert_null(hash_check(hash, &limits, &scheme));
	assert_false(verify_password("secret", hash, scheme, &why));
	assert_non_null(strstr(why, "doveadm"));
	text = verify_describe(hash, scheme);
	assert_string_equal(text, "{PLAIN}");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_known_hash_takes_its_password_and_no_other),
		cmocka_unit_test(test_a_description_has_neither_salt_nor_hash),
		cmocka_unit_test(test_a_prefix_is_for_dovecot_to_tell),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
