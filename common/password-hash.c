/* SPDX-License-Identifier: MIT */
#include "common/password-hash.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/config.h"
#include "common/xalloc.h"

/* The alphabet of crypt(5); a character's place is its value. */
static const char crypt64[] =
	"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static const char malformed[] = "malformed hash";
static const char unknown_scheme[] = "unknown hash scheme";
static const char too_costly[] = "the hash costs more than mum.conf allows";

static int crypt64_value(char c)
{
	const char *at = c != '\0' ? strchr(crypt64, c) : NULL;

	return at != NULL ? (int)(at - crypt64) : -1;
}

/* Does text have this length, all of it in crypt's alphabet? */
static bool is_crypt64(const char *text, size_t len)
{
	return strlen(text) == len && strspn(text, crypt64) == len;
}

/* Reads decimal digits and moves *at behind them. UINT_MAX if the number does not fit. */
static bool read_number(const char **at, unsigned *value_r)
{
	unsigned long long value = 0;
	const char *digit = *at;

	for (; *digit >= '0' && *digit <= '9'; digit++) {
		value = value * 10 + (unsigned long long)(*digit - '0');
		if (value > UINT_MAX)
			value = UINT_MAX;
	}
	if (digit == *at)
		return false;
	*at = digit;
	*value_r = (unsigned)value;
	return true;
}

/* Moves *at behind the word if it comes next. */
static bool skip(const char **at, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*at, word, len) != 0)
		return false;
	*at += len;
	return true;
}

/* $2b$12$ and 22 characters of salt, 31 of hash. */
static const char *check_bcrypt(const char *at, const struct hash_limits *limits)
{
	unsigned cost;

	if (strlen(at) != 58 || strchr("abxy", *at) == NULL || at[1] != '$')
		return malformed;
	at += 2;
	if (!read_number(&at, &cost) || *at != '$' || cost < 4 || cost > 31 ||
	    !is_crypt64(at + 1, 53))
		return malformed;
	return cost > limits->bcrypt_cost ? too_costly : NULL;
}

/* v=19$m=65536,t=4,p=1$salt$hash */
static const char *check_argon2(const char *at, const struct hash_limits *limits)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned version, memory_kib, time, lanes;
	size_t salt, digest;

	if (!skip(&at, "v=") || !read_number(&at, &version) ||
	    !skip(&at, "$m=") || !read_number(&at, &memory_kib) ||
	    !skip(&at, ",t=") || !read_number(&at, &time) ||
	    !skip(&at, ",p=") || !read_number(&at, &lanes) || !skip(&at, "$"))
		return malformed;
	salt = strspn(at, base64);
	if (salt == 0 || at[salt] != '$')
		return malformed;
	at += salt + 1;
	digest = strspn(at, base64);
	if (digest == 0 || at[digest] != '\0')
		return malformed;
	return memory_kib > limits->argon2_memory / 1024 || time > limits->argon2_time
		       ? too_costly : NULL;
}

/* A salt of crypt(5), a '$' and a hash of this many characters. */
static const char *check_salted(const char *at, size_t digest_len)
{
	const char *dollar = strchr(at, '$');

	return dollar != NULL && is_crypt64(dollar + 1, digest_len) ? NULL : malformed;
}

static const char *check_sha2(const char *at, size_t digest_len,
			      const struct hash_limits *limits)
{
	unsigned rounds = 5000;

	if (skip(&at, "rounds=") && (!read_number(&at, &rounds) || !skip(&at, "$")))
		return malformed;
	return rounds > limits->crypt_rounds ? too_costly : check_salted(at, digest_len);
}

static const char *check_sha1(const char *at, const struct hash_limits *limits)
{
	unsigned rounds;

	if (!read_number(&at, &rounds) || !skip(&at, "$"))
		return malformed;
	return rounds > limits->crypt_rounds ? too_costly : check_salted(at, 28);
}

static unsigned log2_ceil(unsigned value)
{
	unsigned bits = 0;

	while (bits < 31 && 1U << bits < value)
		bits++;
	return bits;
}

/*
 * Memory is 128 * N * r bytes; crypt_gensalt(3)'s count 5 makes N = 4096,
 * r = 32, so 2^24 bytes, and each step doubles it.
 */
static const char *check_scrypt_cost(unsigned log2_n, unsigned r, unsigned p,
				     const struct hash_limits *limits)
{
	unsigned bits = log2_n + log2_ceil(r) + log2_ceil(p) + 7;

	return bits > limits->yescrypt_cost + 19 ? too_costly : NULL;
}

/* j9T$salt$hash: flavour, log2(N) - 1, r - 1; no further parameters. */
static const char *check_yescrypt(const char *at, const struct hash_limits *limits)
{
	int log2_n, r;

	if (at[0] != 'j')
		return malformed;
	log2_n = crypt64_value(at[1]);
	r = log2_n >= 0 ? crypt64_value(at[2]) : -1;
	/* Numbers from 48 on take more characters, but no affordable cost is so high. */
	if (log2_n < 0 || log2_n >= 48 || r < 0 || r >= 48 || at[3] != '$')
		return malformed;
	if (check_salted(at + 4, 43) != NULL)
		return malformed;
	return check_scrypt_cost((unsigned)log2_n + 1, (unsigned)r + 1, 1, limits);
}

/* Five characters, least significant first. */
static bool read_crypt64_30(const char *at, unsigned *value_r)
{
	unsigned value = 0;

	for (int i = 0; i < 5; i++) {
		int digit = crypt64_value(at[i]);

		if (digit < 0)
			return false;
		value |= (unsigned)digit << (6 * i);
	}
	*value_r = value;
	return true;
}

/* log2(N), r and p in 1, 5 and 5 characters, then salt$hash. */
static const char *check_scrypt(const char *at, const struct hash_limits *limits)
{
	int log2_n = crypt64_value(at[0]);
	unsigned r, p;

	if (log2_n < 0 || !read_crypt64_30(at + 1, &r) || !read_crypt64_30(at + 6, &p) ||
	    r == 0 || p == 0 || check_salted(at + 11, 43) != NULL)
		return malformed;
	return check_scrypt_cost((unsigned)log2_n, r, p, limits);
}

/* crypt(5), by what follows the first '$'. */
static const char *check_crypt(const char *at, const struct hash_limits *limits)
{
	if (skip(&at, "1$"))
		return check_salted(at, 22);
	if (skip(&at, "5$"))
		return check_sha2(at, 43, limits);
	if (skip(&at, "6$"))
		return check_sha2(at, 86, limits);
	if (skip(&at, "y$") || skip(&at, "gy$"))
		return check_yescrypt(at, limits);
	if (skip(&at, "7$"))
		return check_scrypt(at, limits);
	if (skip(&at, "sha1$"))
		return check_sha1(at, limits);
	return unknown_scheme;
}

static const char *check_dollar(const char *hash, const struct hash_limits *limits,
				enum hash_scheme *scheme_r)
{
	const char *at = hash + 1;

	if (skip(&at, "2")) {
		*scheme_r = HASH_BCRYPT;
		return check_bcrypt(at, limits);
	}
	if (skip(&at, "argon2id$")) {
		*scheme_r = HASH_ARGON2ID;
		return check_argon2(at, limits);
	}
	if (skip(&at, "argon2i$")) {
		*scheme_r = HASH_ARGON2I;
		return check_argon2(at, limits);
	}
	*scheme_r = HASH_CRYPT;
	return check_crypt(at, limits);
}

/* $1$salt$rounds$hash, as Dovecot writes it. */
static const char *check_pbkdf2(const char *at, const struct hash_limits *limits)
{
	const char *salt_end;
	unsigned rounds;

	if (!skip(&at, "$1$"))
		return malformed;
	salt_end = strchr(at, '$');
	if (salt_end == NULL)
		return malformed;
	at = salt_end + 1;
	if (!read_number(&at, &rounds) || *at != '$')
		return malformed;
	return rounds > limits->crypt_rounds ? too_costly : NULL;
}

/* rounds,salt,stored key,server key */
static const char *check_scram(const char *at, const struct hash_limits *limits)
{
	unsigned rounds;

	if (!read_number(&at, &rounds) || *at != ',')
		return malformed;
	return rounds > limits->crypt_rounds ? too_costly : NULL;
}

static const char *check_prefixed_bcrypt(const char *at, const struct hash_limits *limits)
{
	return skip(&at, "$2") ? check_bcrypt(at, limits) : malformed;
}

static const char *check_prefixed_argon2(const char *at, const struct hash_limits *limits)
{
	return skip(&at, "$argon2id$") || skip(&at, "$argon2i$") ? check_argon2(at, limits)
								 : malformed;
}

/* Any hash of crypt(5), whatever scheme the prefix names; DES has no '$'. */
static const char *check_prefixed_crypt(const char *at, const struct hash_limits *limits)
{
	if (strncmp(at, "$2", 2) == 0)
		return check_bcrypt(at + 2, limits);
	if (*at == '$')
		return check_crypt(at + 1, limits);
	/* Extended DES has a count too; nobody has hashes of it. */
	if (*at == '_')
		return unknown_scheme;
	return strlen(at) >= 13 && is_crypt64(at, strlen(at)) ? NULL : malformed;
}

/*
 * The schemes that Dovecot verifies; for any other it could only say "failure". check
 * is for schemes whose hashes say what verifying them costs. NULL: the cost is always
 * the same, and low; anything may follow the prefix, even plain text.
 */
static const struct prefixed_scheme {
	const char *name;
	const char *(*check)(const char *at, const struct hash_limits *limits);
} prefixed_schemes[] = {
	{ "ARGON2I", check_prefixed_argon2 },
	{ "ARGON2ID", check_prefixed_argon2 },
	{ "BLF-CRYPT", check_prefixed_bcrypt },
	{ "CLEAR", NULL },
	{ "CLEARTEXT", NULL },
	{ "CRAM-MD5", NULL },
	{ "CRYPT", check_prefixed_crypt },
	{ "DES-CRYPT", check_prefixed_crypt },
	{ "DIGEST-MD5", NULL },
	{ "HMAC-MD5", NULL },
	{ "LDAP-MD5", NULL },
	{ "MD5", NULL },
	{ "MD5-CRYPT", NULL },
	{ "PBKDF2", check_pbkdf2 },
	{ "PLAIN", NULL },
	{ "PLAIN-MD4", NULL },
	{ "PLAIN-MD5", NULL },
	{ "SCRAM-SHA-1", check_scram },
	{ "SCRAM-SHA-256", check_scram },
	{ "SHA", NULL },
	{ "SHA1", NULL },
	{ "SHA256", NULL },
	{ "SHA256-CRYPT", check_prefixed_crypt },
	{ "SHA512", NULL },
	{ "SHA512-CRYPT", check_prefixed_crypt },
	{ "SMD5", NULL },
	{ "SSHA", NULL },
	{ "SSHA256", NULL },
	{ "SSHA512", NULL },
};

static const struct prefixed_scheme *find_prefixed_scheme(const char *name, size_t len)
{
	size_t count = sizeof(prefixed_schemes) / sizeof(prefixed_schemes[0]);

	for (size_t i = 0; i < count; i++) {
		const struct prefixed_scheme *scheme = &prefixed_schemes[i];

		if (strlen(scheme->name) == len && strncasecmp(scheme->name, name, len) == 0)
			return scheme;
	}
	return NULL;
}

/* {SCHEME}hash: the hash behind the prefix still has its cost. */
static const char *check_prefixed(const char *hash, const struct hash_limits *limits)
{
	const char *name = hash + 1;
	const char *close = strchr(hash, '}');
	const struct prefixed_scheme *scheme;

	if (close == NULL || close == name || close[1] == '\0')
		return malformed;
	if (!limits->allow_prefix)
		return "a {SCHEME} prefix, which dovecot.allow_scheme_prefix forbids";
	scheme = find_prefixed_scheme(name, (size_t)(close - name));
	if (scheme == NULL)
		return "an unknown {SCHEME} prefix, or an encoding that hides the hash";
	return scheme->check != NULL ? scheme->check(close + 1, limits) : NULL;
}

struct hash_limits hash_limits(const struct mum_config *config)
{
	return (struct hash_limits){
		.allow_prefix = config->dovecot.allow_scheme_prefix,
		.bcrypt_cost = config->dovecot.max_bcrypt_cost,
		.argon2_memory = config->dovecot.max_argon2_memory,
		.argon2_time = config->dovecot.max_argon2_time,
		.crypt_rounds = config->dovecot.max_crypt_rounds,
		.yescrypt_cost = config->dovecot.max_yescrypt_cost,
	};
}

const char *hash_check(const char *hash, const struct hash_limits *limits,
		       enum hash_scheme *scheme_r)
{
	const char *why;

	*scheme_r = HASH_NONE;
	if (hash == NULL)
		return malformed;
	if (*hash == '$') {
		why = check_dollar(hash, limits, scheme_r);
	} else if (*hash == '{') {
		*scheme_r = HASH_PREFIXED;
		why = check_prefixed(hash, limits);
	} else {
		why = *hash == '\0' ? "no password is set" : "not a hash that begins with $";
	}
	if (why != NULL)
		*scheme_r = HASH_NONE;
	return why;
}

char *hash_dummy(const char *hash)
{
	char *dummy = xstrdup(hash);
	char *at = strrchr(dummy, '$');

	/* In bcrypt this overwrites the salt, too, which does no harm. */
	for (at = at != NULL ? at + 1 : dummy; *at != '\0'; at++)
		*at = 'A';
	return dummy;
}
