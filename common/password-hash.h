/* SPDX-License-Identifier: MIT */
/*
 * Which scheme a stored password hash has, and what verifying it would cost. Hashes
 * come from a web application: one that would take hours, or that no verifier
 * understands, is refused before anybody tries it.
 */
#ifndef MUM_PASSWORD_HASH_H
#define MUM_PASSWORD_HASH_H

#include <stdbool.h>
#include <stddef.h>

enum hash_scheme {
	HASH_NONE,		/* refused */
	HASH_BCRYPT,		/* $2a$ $2b$ $2x$ $2y$ */
	HASH_ARGON2I,		/* $argon2i$ */
	HASH_ARGON2ID,		/* $argon2id$ */
	HASH_CRYPT,		/* other hashes of libxcrypt's crypt(5) with a $ */
	HASH_PREFIXED		/* {SCHEME}..., where the admin allows that */
};

struct hash_limits {
	bool allow_prefix;
	unsigned bcrypt_cost;	/* log2 of the rounds */
	size_t argon2_memory;	/* bytes */
	unsigned argon2_time;
	unsigned crypt_rounds;	/* $5$, $6$, $sha1$, PBKDF2, SCRAM */
	unsigned yescrypt_cost;	/* crypt_gensalt(3)'s count for $y$; scrypt's in the same unit */
};

struct mum_config;
/* What mum.conf allows. */
struct hash_limits hash_limits(const struct mum_config *config);

/*
 * Returns NULL and sets the scheme; or returns static text that says why the hash is
 * refused, and sets HASH_NONE. hash may be NULL: then it held bytes that no hash has.
 */
const char *hash_check(const char *hash, const struct hash_limits *limits,
		       enum hash_scheme *scheme_r);

/*
 * A hash of the same scheme and cost that no password matches: verifying it takes as
 * long as verifying the given one. Caller frees.
 */
char *hash_dummy(const char *hash);

#endif
