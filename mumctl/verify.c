/* SPDX-License-Identifier: MIT */
#include "mumctl/verify.h"

#include <crypt.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

static bool verify_crypt(const char *password, const char *hash)
{
	struct crypt_data *data = xcalloc(1, sizeof(*data));
	const char *result = crypt_r(password, hash, data);
	bool same = result != NULL && strlen(result) == strlen(hash) &&
		    sodium_memcmp(result, hash, strlen(hash)) == 0;

	sodium_memzero(data, sizeof(*data));
	free(data);
	return same;
}

bool verify_password(const char *password, const char *hash, enum hash_scheme scheme,
		     const char **why_r)
{
	*why_r = NULL;
	switch (scheme) {
	case HASH_BCRYPT:
	case HASH_CRYPT:
		return verify_crypt(password, hash);
	case HASH_ARGON2I:
	case HASH_ARGON2ID:
		if (sodium_init() < 0) {
			*why_r = "libsodium cannot be used";
			return false;
		}
		return crypto_pwhash_str_verify(hash, password, strlen(password)) == 0;
	case HASH_PREFIXED:
		*why_r = "a {SCHEME} prefix: ask \"doveadm auth test\", Dovecot alone "
			 "knows them all";
		return false;
	case HASH_NONE:
		break;
	}
	*why_r = "no hash";
	return false;
}

/*
 * "SHA512-CRYPT, rounds 5000" or "yescrypt, settings j9T": the scheme, and what stands
 * between it and the salt. crypt(5) lists the prefixes.
 */
static char *describe_crypt(const char *hash)
{
	static const struct {
		const char *prefix, *name, *what;	/* what: the word for the settings */
	} schemes[] = {
		{ "$1$", "MD5-CRYPT", NULL },	       { "$5$", "SHA256-CRYPT", "rounds" },
		{ "$6$", "SHA512-CRYPT", "rounds" },   { "$sha1$", "SHA1-CRYPT", "rounds" },
		{ "$y$", "yescrypt", "settings" },     { "$gy$", "gost-yescrypt", "settings" },
		{ "$7$", "scrypt", "settings" },       { "$", "CRYPT", "settings" },
	};
	const char *settings = strchr(hash + 1, '$') + 1;
	int len = (int)strcspn(settings, "$");
	size_t i = 0;

	while (strncmp(hash, schemes[i].prefix, strlen(schemes[i].prefix)) != 0)
		i++;
	if (schemes[i].what == NULL)
		return xstrdup(schemes[i].name);
	if (hash[1] == '5' || hash[1] == '6') {
		if (strncmp(settings, "rounds=", 7) != 0)
			return xasprintf("%s, rounds 5000", schemes[i].name);
		settings += 7;
		len -= 7;
	}
	/* scrypt has no '$' between its 11 characters of settings and its salt. */
	if (hash[1] == '7')
		len = 11;
	return xasprintf("%s, %s %.*s", schemes[i].name, schemes[i].what, len, settings);
}

char *verify_describe(const char *hash, enum hash_scheme scheme)
{
	const char *settings;

	switch (scheme) {
	case HASH_BCRYPT:
		return xasprintf("bcrypt, cost %d", atoi(hash + 4));
	case HASH_ARGON2I:
	case HASH_ARGON2ID:
		settings = strstr(hash, "$m=") + 1;
		return xasprintf("%s, %.*s", scheme == HASH_ARGON2I ? "argon2i" : "argon2id",
				 (int)strcspn(settings, "$"), settings);
	case HASH_PREFIXED:
		return xasprintf("%.*s}", (int)strcspn(hash, "}"), hash);
	case HASH_CRYPT:
		return describe_crypt(hash);
	case HASH_NONE:
		break;
	}
	return xstrdup("none");
}
