/* SPDX-License-Identifier: MIT */
/* Which hashes may be verified, and from which cost on they are refused. */
#include "tests/unit/unit.h"

#include "common/password-hash.h"

#define BCRYPT_TAIL "kQkZ/P/wKKKtkg725wiB3e5ehSKcXqnOWdmQIanZs1Hvpj8XM3.Ce"
#define SHA512 "ltjgWl6579NluT/Vi1nwEvcil.G5Nbc4NiXZaNGStk8PSwGfQv72N2CKPPrVACtLtip/cZ/1GM/O6IND4WQhG."
#define SHA256 "gruCpC7VkOTspMQTTSAR8mtlO9Upms.fwqE5y16JVM."
#define YESCRYPT "3dL1LkYnZM.OVXuVdnnaKVDlLYT92dRwOzDZ5XiVCe."
#define ARGON2 "$MsA/9qN5UA2rd2ErL0Nu2w$0gUEp6FXtRHal7u4niHRMk8Z6Wlh3nySbsuRUBJJpT0"
#define SCRYPT "abcdefghijklmnop$XFPPWJganQ6Nq0QhVHxk/yHxMXizE0OJDowAsO4.RIA"

/* The defaults of mum.conf. */
static const struct hash_limits usual = {
	.bcrypt_cost = 14,
	.argon2_memory = 128 << 20,
	.argon2_time = 10,
	.crypt_rounds = 1000000,
	.yescrypt_cost = 11,
};

static const struct {
	const char *name, *hash;
	enum hash_scheme want;
} cases[] = {
	{ "bcrypt as PHP writes it", "$2y$10$" BCRYPT_TAIL, HASH_BCRYPT },
	{ "bcrypt as OpenBSD writes it", "$2b$10$" BCRYPT_TAIL, HASH_BCRYPT },
	{ "old bcrypt", "$2a$10$" BCRYPT_TAIL, HASH_BCRYPT },
	{ "bcrypt at the limit", "$2y$14$" BCRYPT_TAIL, HASH_BCRYPT },
	{ "bcrypt one above", "$2y$15$" BCRYPT_TAIL, HASH_NONE },
	{ "bcrypt at its own maximum", "$2y$31$" BCRYPT_TAIL, HASH_NONE },
	{ "bcrypt below its own minimum", "$2y$03$" BCRYPT_TAIL, HASH_NONE },
	{ "bcrypt of an unknown kind", "$2z$10$" BCRYPT_TAIL, HASH_NONE },
	{ "bcrypt without a kind", "$2$10$" BCRYPT_TAIL, HASH_NONE },
	{ "bcrypt one character short", "$2y$10$kQkZ/P/wKKKtkg725wiB3e5ehSKcXqnOWdmQIanZs1Hvpj8XM3.C", HASH_NONE },
	{ "bcrypt one character long", "$2y$10$" BCRYPT_TAIL "x", HASH_NONE },
	{ "bcrypt with a foreign character", "$2y$10$!QkZ/P/wKKKtkg725wiB3e5ehSKcXqnOWdmQIanZs1Hvpj8XM3.Ce", HASH_NONE },
	{ "argon2id", "$argon2id$v=19$m=65536,t=4,p=1" ARGON2, HASH_ARGON2ID },
	{ "argon2i", "$argon2i$v=19$m=1024,t=2,p=2" ARGON2, HASH_ARGON2I },
	{ "argon2d, which Dovecot does not verify", "$argon2d$v=19$m=1024,t=2,p=2" ARGON2, HASH_NONE },
	{ "argon2 memory at the limit", "$argon2id$v=19$m=131072,t=4,p=1" ARGON2, HASH_ARGON2ID },
	{ "argon2 memory one KiB above", "$argon2id$v=19$m=131073,t=4,p=1" ARGON2, HASH_NONE },
	{ "argon2 memory beyond any number", "$argon2id$v=19$m=99999999999999999999,t=4,p=1" ARGON2, HASH_NONE },
	{ "argon2 time at the limit", "$argon2id$v=19$m=1024,t=10,p=1" ARGON2, HASH_ARGON2ID },
	{ "argon2 time one above", "$argon2id$v=19$m=1024,t=11,p=1" ARGON2, HASH_NONE },
	{ "argon2 without lanes", "$argon2id$v=19$m=1024,t=2$" ARGON2, HASH_NONE },
	{ "argon2 without a hash", "$argon2id$v=19$m=1024,t=2,p=1$c2FsdHNhbHQ$", HASH_NONE },
	{ "argon2 with more behind", "$argon2id$v=19$m=1024,t=2,p=1" ARGON2 "$x", HASH_NONE },
	{ "SHA-512", "$6$abcdefgh$" SHA512, HASH_CRYPT },
	{ "SHA-512 with rounds", "$6$rounds=656000$abcdefgh$" SHA512, HASH_CRYPT },
	{ "rounds at the limit", "$6$rounds=1000000$abcdefgh$" SHA512, HASH_CRYPT },
	{ "rounds one above", "$6$rounds=1000001$abcdefgh$" SHA512, HASH_NONE },
	{ "hostile rounds", "$6$rounds=999999999$abcdefgh$" SHA512, HASH_NONE },
	{ "rounds that wrap 32 bits", "$6$rounds=4294967297$abcdefgh$" SHA512, HASH_NONE },
	{ "rounds that wrap 64 bits", "$6$rounds=18446744073709551617$abcdefgh$" SHA512, HASH_NONE },
	{ "negative rounds", "$6$rounds=-1$abcdefgh$" SHA512, HASH_NONE },
	{ "rounds of blanks", "$6$rounds= 5$abcdefgh$" SHA512, HASH_NONE },
	{ "SHA-512 cut", "$6$abcdefgh$ltjgWl6579", HASH_NONE },
	{ "SHA-512 without salt", "$6$" SHA512, HASH_NONE },
	{ "SHA-256", "$5$abcdefgh$" SHA256, HASH_CRYPT },
	{ "SHA-256, hostile", "$5$rounds=999999999$abcdefgh$" SHA256, HASH_NONE },
	{ "MD5", "$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1", HASH_CRYPT },
	{ "SHA-1", "$sha1$20000$abcdefgh$miMwtfTPSjqfWiPe7Prp7K5glzWu", HASH_CRYPT },
	{ "SHA-1, hostile", "$sha1$4000000000$abcdefgh$miMwtfTPSjqfWiPe7Prp7K5glzWu", HASH_NONE },
	{ "yescrypt as Debian writes it", "$y$j9T$abcdefghijklmnop$" YESCRYPT, HASH_CRYPT },
	{ "gost-yescrypt", "$gy$j9T$abcdefghijklmnop$" YESCRYPT, HASH_CRYPT },
	{ "yescrypt at the limit", "$y$jFT$abcdefghijklmnop$" YESCRYPT, HASH_CRYPT },
	{ "yescrypt one above", "$y$jGT$abcdefghijklmnop$" YESCRYPT, HASH_NONE },
	{ "yescrypt with a larger r", "$y$jFj$abcdefghijklmnop$" YESCRYPT, HASH_NONE },
	{ "yescrypt with the smallest r", "$y$j9.$abcdefghijklmnop$" YESCRYPT, HASH_CRYPT },
	{ "yescrypt with the smallest N", "$y$j.T$abcdefghijklmnop$" YESCRYPT, HASH_CRYPT },
	{ "yescrypt whose r has more characters", "$y$j9k$abcdefghijklmnop$" YESCRYPT, HASH_NONE },
	{ "yescrypt with further parameters", "$y$j9T.$abcdefghijklmnop$" YESCRYPT, HASH_NONE },
	{ "yescrypt of another flavour", "$y$/9T$abcdefghijklmnop$" YESCRYPT, HASH_NONE },
	{ "yescrypt cut after its name", "$y$", HASH_NONE },
	{ "yescrypt cut in its parameters", "$y$j9", HASH_NONE },
	{ "scrypt", "$7$CU..../...." SCRYPT, HASH_CRYPT },
	{ "scrypt at the limit, r of two characters", "$7$F./.../...." SCRYPT, HASH_CRYPT },
	{ "scrypt one above", "$7$G./.../...." SCRYPT, HASH_NONE },
	{ "scrypt that wants all memory", "$7$zU..../...." SCRYPT, HASH_NONE },
	{ "scrypt with all the lanes", "$7$CU....zzzzz" SCRYPT, HASH_NONE },
	{ "scrypt cut", "$7$CU", HASH_NONE },
	{ "a scheme that nobody knows", "$foo$bar$baz", HASH_NONE },
	{ "one dollar", "$", HASH_NONE },
	{ "plain text", "secret", HASH_NONE },
	{ "traditional DES", "abJnggxhB/yWI", HASH_NONE },
	{ "extended DES", "_J9..CCCCXBrJUJV154M", HASH_NONE },
	{ "a locked account", "!", HASH_NONE },
	{ "a locked hash", "!$2y$10$" BCRYPT_TAIL, HASH_NONE },
	{ "nothing", "", HASH_NONE },
	{ "bytes that are no text", NULL, HASH_NONE },
	{ "a prefix that nobody allowed", "{PLAIN}secret", HASH_NONE },
	{ "a prefix before a good hash", "{CRYPT}$6$abcdefgh$" SHA512, HASH_NONE },
};

static void test_each_hash_is_what_it_says_or_refused(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, cases) {
		enum hash_scheme scheme = HASH_PREFIXED;
		const char *why = hash_check(row->hash, &usual, &scheme);

		WANT_NUMBER(row->name, scheme, row->want);
		WANT(row->name, (why != NULL) == (row->want == HASH_NONE));
	}
}

static void test_prefixes_count_where_they_are_allowed(void **state)
{
	static const struct {
		const char *name, *hash;
		enum hash_scheme want;
	} prefixed[] = {
		{ "plain text that says so", "{PLAIN}secret", HASH_PREFIXED },
		{ "a hash that says what it is", "{SHA512-CRYPT}$6$abcdefgh$" SHA512, HASH_PREFIXED },
		{ "a hostile hash behind a prefix", "{SHA512-CRYPT}$6$rounds=999999999$abcdefgh$" SHA512, HASH_NONE },
		{ "a scheme that nobody knows", "{NOSUCHSCHEME}secret", HASH_NONE },
		{ "a name in small letters", "{plain}secret", HASH_PREFIXED },
		{ "an encoded hash", "{SHA512-CRYPT.B64}JDYkcm91bmRzPTIwMDAwMDAw", HASH_NONE },
		{ "PBKDF2", "{PBKDF2}$1$saltsalt$5000$" "aaaa", HASH_PREFIXED },
		{ "PBKDF2, hostile", "{pbkdf2}$1$saltsalt$20000000$" "aaaa", HASH_NONE },
		{ "SCRAM", "{SCRAM-SHA-256}4096,c2FsdA==,a2V5,a2V5", HASH_PREFIXED },
		{ "SCRAM, hostile", "{SCRAM-SHA-256}20000000,c2FsdA==,a2V5,a2V5", HASH_NONE },
		{ "DES behind a prefix", "{CRYPT}abJnggxhB/yWI", HASH_PREFIXED },
		{ "DES cut", "{DES-CRYPT}abJnggxhB/yW", HASH_NONE },
		{ "crypt, whatever its name", "{SHA256-CRYPT}$6$abcdefgh$" SHA512, HASH_PREFIXED },
		{ "argon2, which crypt() does not know", "{CRYPT}$argon2id$v=19$m=65536,t=4,p=1" ARGON2, HASH_NONE },
		{ "argon2 behind its prefix", "{ARGON2ID}$argon2id$v=19$m=65536,t=4,p=1" ARGON2, HASH_PREFIXED },
		{ "argon2 too costly", "{argon2i}$argon2id$v=19$m=65536,t=11,p=1" ARGON2, HASH_NONE },
		{ "bcrypt behind its prefix", "{BLF-CRYPT}$2y$10$" BCRYPT_TAIL, HASH_PREFIXED },
		{ "no bcrypt behind its prefix", "{BLF-CRYPT}x", HASH_NONE },
		{ "SHA-512 behind bcrypt's prefix", "{BLF-CRYPT}$6$abcdefgh$" SHA512, HASH_NONE },
		{ "plain text with a dollar", "{PLAIN}$ecret", HASH_PREFIXED },
		{ "plain text with an underscore", "{CLEARTEXT}_secret", HASH_PREFIXED },
		{ "plain text that looks like a hash", "{CLEAR}$6$rounds=999999999$x", HASH_PREFIXED },
		{ "a digest with a dollar", "{MD5}$1$saltsalt$x", HASH_PREFIXED },
		{ "extended DES behind a prefix", "{CRYPT}_zzzzCCCXBrJUJV154M", HASH_NONE },
		{ "no name in the braces", "{}secret", HASH_NONE },
		{ "nothing behind the braces", "{PLAIN}", HASH_NONE },
		{ "an open brace", "{PLAIN", HASH_NONE },
		{ "no prefix at all", "$6$abcdefgh$" SHA512, HASH_CRYPT },
		{ "plain text without a prefix", "secret", HASH_NONE },
	};
	struct hash_limits limits = usual;

	(void)state;
	limits.allow_prefix = true;
	FOR_EACH_ROW(row, prefixed) {
		enum hash_scheme scheme;

		hash_check(row->hash, &limits, &scheme);
		WANT_NUMBER(row->name, scheme, row->want);
	}
}

static void test_every_cut_of_a_hash_is_refused(void **state)
{
	static const char *const whole[] = {
		"$2y$10$" BCRYPT_TAIL, "$6$rounds=5000$abcdefgh$" SHA512,
		"$y$j9T$abcdefghijklmnop$" YESCRYPT, "$7$CU..../...." SCRYPT,
		"$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1",
	};

	(void)state;
	FOR_EACH_ROW(hash, whole) {
		for (size_t len = 0; len < strlen(*hash); len++) {
			char *cut = unit_exact(*hash, len + 1);
			enum hash_scheme scheme;

			cut[len] = '\0';
			WANT(cut, hash_check(cut, &usual, &scheme) != NULL);
			free(cut);
		}
	}
}

static void test_a_dummy_costs_the_same_and_matches_nothing(void **state)
{
	static const struct {
		const char *hash, *want;
	} dummies[] = {
		{ "$2y$12$" BCRYPT_TAIL,
		  "$2y$12$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
		{ "$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1", "$1$abcdefgh$AAAAAAAAAAAAAAAAAAAAAA" },
	};

	(void)state;
	FOR_EACH_ROW(row, dummies) {
		char *dummy = hash_dummy(row->hash);

		WANT_TEXT("only what a password makes is gone", dummy, row->want);
		free(dummy);
	}
	FOR_EACH_ROW(row, cases) {
		enum hash_scheme scheme;
		char *dummy;

		if (row->want == HASH_NONE)
			continue;
		dummy = hash_dummy(row->hash);
		hash_check(dummy, &usual, &scheme);
		WANT_NUMBER(row->name, scheme, row->want);
		free(dummy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_each_hash_is_what_it_says_or_refused),
		UNIT_TEST(test_prefixes_count_where_they_are_allowed),
		UNIT_TEST(test_every_cut_of_a_hash_is_refused),
		UNIT_TEST(test_a_dummy_costs_the_same_and_matches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
