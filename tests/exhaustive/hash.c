/* SPDX-License-Identifier: MIT */
/*
 * Hashes, against the libraries that verify them. What libxcrypt or libsodium can verify
 * is never called malformed, and what is let through costs what the limits allow, as the
 * library reads the cost. Only alphabets whose dearest hash is cheap are used.
 */
#include <crypt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/password-hash.h"
#include "common/xalloc.h"
#include "tests/exhaustive/exhaustive.h"

enum { HASH_SIZE = 512 };

#define BCRYPT_TAIL "kQkZ/P/wKKKtkg725wiB3e5ehSKcXqnOWdmQIanZs1Hvpj8XM3.Ce"
#define DIGEST43 "gruCpC7VkOTspMQTTSAR8mtlO9Upms.fwqE5y16JVM."
#define DIGEST86 DIGEST43 DIGEST43
#define DIGEST28 "miMwtfTPSjqfWiPe7Prp7K5glzWu"
#define ARGON2_TAIL "$MsA/9qN5UA2rd2ErL0Nu2w$0gUEp6FXtRHal7u4niHRMk8Z6Wlh3nySbsuRUBJJpT0"

static const struct hash_limits limits = {
	.bcrypt_cost = 4,
	.argon2_memory = 50 << 10,
	.argon2_time = 4,
	.crypt_rounds = 1500,
	.yescrypt_cost = 3,
};

enum judgement { FINE, COSTLY, MALFORMED };

static enum judgement judge(const char *hash)
{
	enum hash_scheme scheme;
	const char *why = hash_check(hash, &limits, &scheme);

	if (why == NULL)
		return FINE;
	return strstr(why, "costs more") != NULL ? COSTLY : MALFORMED;
}

/* ---- crypt(3) ---- */

/* A scheme: what stands before the string and behind it, and what the string may cost. */
struct crypted {
	const char *before, *behind;
	/* False: the hash costs more than the limits. Of those that can be verified. */
	bool (*is_cheap)(const char *string);
};

/*
 * Could any password have this hash? crypt(3) gives the same setting and another digest
 * of the same length.
 */
static bool can_verify(const char *hash)
{
	static struct crypt_data data;
	const char *got = crypt_r("password", hash, &data);
	const char *dollar = strrchr(hash, '$');
	size_t setting = dollar != NULL ? (size_t)(dollar - hash) : 0;

	/* In bcrypt the salt is glued to the digest; its last character has unused bits. */
	if (strncmp(hash, "$2", 2) == 0)
		setting += 22;
	return got != NULL && got[0] != '*' && strlen(got) == strlen(hash) &&
	       strncmp(got, hash, setting) == 0;
}

static void compare_crypt(const char *string, size_t len, void *arg)
{
	const struct crypted *crypted = arg;
	char hash[HASH_SIZE];
	enum judgement judgement;

	snprintf(hash, sizeof(hash), "%s%s%s", crypted->before, string, crypted->behind);
	judgement = judge(hash);
	if (judgement == MALFORMED && can_verify(hash))
		differ(hash, strlen(hash), "malformed, but libxcrypt verifies it");
	else if (judgement == FINE && !crypted->is_cheap(string) && can_verify(hash))
		differ(hash, strlen(hash), "let through, but it costs too much");
	else if (judgement == COSTLY && crypted->is_cheap(string) && can_verify(hash))
		differ(hash, strlen(hash), "too costly, but it is cheap");
	(void)len;
}

static bool is_cheap_bcrypt(const char *string)
{
	return strcmp(strrchr(string, '$') != NULL ? strchr(string, '$') : "", "$04$") == 0;
}

/* "rounds=N$", else 5000 of them. */
static bool is_cheap_sha2(const char *string)
{
	const char *at = strstr(string, "rounds=");

	return at == string && strtoul(string + strlen("rounds="), NULL, 10) <= 1500;
}

static bool is_cheap_sha1(const char *string)
{
	return strtoul(string, NULL, 10) <= 1500;
}

static unsigned digit64(char c)
{
	static const char all[] =
		"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	const char *at = strchr(all, c);

	return at != NULL ? (unsigned)(at - all) : 63;
}

/* 128 * N * r bytes against those of count 3: N = 1024, r = 32. */
static bool is_cheap_yescrypt(const char *string)
{
	return strlen(string) >= 2 &&
	       (1ULL << (digit64(string[0]) + 1)) * (digit64(string[1]) + 1) <= 1024ULL * 32;
}

static bool is_cheap_scrypt(const char *string)
{
	unsigned long long r = 0, p = 0;

	/* What is shorter goes on in the salt, whose letters are large numbers. */
	if (strlen(string) < 11)
		return false;
	for (int i = 4; i >= 0; i--) {
		r = r * 64 + digit64(string[1 + i]);
		p = p * 64 + digit64(string[6 + i]);
	}
	return (1ULL << digit64(string[0])) * r * p <= 1024ULL * 32;
}

static bool is_always_cheap(const char *string)
{
	(void)string;
	return true;
}

static void compare_all_of_crypt(unsigned max)
{
	static const struct letter kinds[] = { LETTER("y$"), LETTER("b$"), LETTER("$"),
					       LETTER("0"), LETTER("3"), LETTER("4"),
					       LETTER("5"), LETTER("+"), LETTER(" ") };
	static const struct letter rounds[] = { LETTER("rounds="), LETTER("1000"), LETTER("0"),
						LETTER("1"), LETTER("5"), LETTER("$"),
						LETTER("+"), LETTER("a") };
	/*
	 * What stands behind the flavour and in front of further parameters: hashes with
	 * another flavour than j, or with such parameters, are refused; nobody makes them.
	 */
	static const struct letter yescrypt[] = { LETTER("."), LETTER("/"), LETTER("0"),
						  LETTER("4"), LETTER("7"), LETTER("8"),
						  LETTER("9"), LETTER("A"), LETTER("T"),
						  LETTER("j"), LETTER("k"), LETTER("z"),
						  LETTER("$"), LETTER("+") };
	static const struct letter scrypt[] = { LETTER("6"), LETTER("8"), LETTER("/...."),
						LETTER("0...."), LETTER("U...."), LETTER("."),
						LETTER("$") };
	static const struct crypted bcrypt = { "$2", BCRYPT_TAIL, is_cheap_bcrypt };
	static const struct crypted sha256 = { "$5$", "$abcdefgh$" DIGEST43, is_cheap_sha2 };
	static const struct crypted sha256_salt = { "$5$", "$" DIGEST43, is_cheap_sha2 };
	static const struct crypted sha512 = { "$6$", "$abcdefgh$" DIGEST86, is_cheap_sha2 };
	static const struct crypted sha1 = { "$sha1$", "$abcdefgh$" DIGEST28, is_cheap_sha1 };
	static const struct crypted md5 = { "$1$", "$cHJi5PXp/ki/ktXzqlk6I1", is_always_cheap };
	static const struct crypted yes = { "$y$j", "$abcdefghijklmnop$" DIGEST43,
					    is_cheap_yescrypt };
	static const struct crypted gost = { "$gy$j", "$abcdefghijklmnop$" DIGEST43,
					     is_cheap_yescrypt };
	static const struct crypted scrypted = { "$7$", "abcdefghijklmnop$" DIGEST43,
						 is_cheap_scrypt };

	each_string(LETTERS(kinds), max + 2, compare_crypt, (void *)&bcrypt);
	each_string(LETTERS(rounds), max, compare_crypt, (void *)&sha256);
	each_string(LETTERS(rounds), max, compare_crypt, (void *)&sha256_salt);
	each_string(LETTERS(rounds), max, compare_crypt, (void *)&sha512);
	each_string(LETTERS(rounds), max, compare_crypt, (void *)&sha1);
	each_string(LETTERS(rounds), max, compare_crypt, (void *)&md5);
	each_string(LETTERS(yescrypt), 2, compare_crypt, (void *)&yes);
	each_string(LETTERS(yescrypt), 2, compare_crypt, (void *)&gost);
	each_string(LETTERS(scrypt), max + 1, compare_crypt, (void *)&scrypted);
}

/* ---- libsodium ---- */

/* One number of the hash is the string; the others are in order. */
struct argon2 {
	const char *format;
	bool is_memory;
};

static void compare_argon2(const char *string, size_t len, void *arg)
{
	const struct argon2 *argon2 = arg;
	unsigned long long value = strtoull(string, NULL, 10);
	size_t memory = argon2->is_memory ? (size_t)value * 1024 : 9 << 10;
	unsigned long long time = argon2->is_memory ? 4 : value;
	char hash[HASH_SIZE];
	enum judgement judgement;
	int rehash;

	snprintf(hash, sizeof(hash), "%s%s%s", argon2->format, string,
		 argon2->is_memory ? ",t=4,p=1" ARGON2_TAIL : ",p=1" ARGON2_TAIL);
	judgement = judge(hash);
	/* 0: libsodium read these very numbers. */
	rehash = crypto_pwhash_str_needs_rehash(hash, time, memory);
	if (rehash < 0)
		return;
	if (rehash != 0)
		differ(hash, strlen(hash), "libsodium reads another number");
	if (judgement == MALFORMED)
		differ(hash, strlen(hash), "malformed, but libsodium reads it");
	else if ((judgement == FINE) != (memory <= limits.argon2_memory && time <= limits.argon2_time))
		differ(hash, strlen(hash), "%s", judgement == FINE ? "let through, but it costs too much"
								   : "too costly, but it is cheap");
	(void)len;
}

static void compare_all_of_sodium(unsigned max)
{
	static const struct letter digits[] = { LETTER("0"), LETTER("1"), LETTER("4"), LETTER("5"),
						LETTER("8"), LETTER("9"), LETTER("+"), LETTER("-"),
						LETTER(" "), LETTER(",") };
	static const struct argon2 numbers[] = {
		{ "$argon2id$v=19$m=", true }, { "$argon2i$v=19$m=", true },
		{ "$argon2id$v=19$m=9,t=", false }, { "$argon2i$v=19$m=9,t=", false },
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		each_string(LETTERS(digits), max, compare_argon2, (void *)&numbers[i]);
}

int main(int argc, char **argv)
{
	if (sodium_init() < 0)
		abort();
	compare_all_of_crypt(letters_max(argc, argv, 2, 3));
	compare_all_of_sodium(letters_max(argc, argv, 4, 6));
	return exhaustive_end("hash");
}
