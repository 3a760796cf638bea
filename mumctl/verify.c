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

/* crypt(5)'s names of what follows the first '$'. */
static const char *crypt_name(const char *hash)
{
	static const struct {
		const char *prefix, *name;
	} names[] = {
		{ "$1$", "MD5-CRYPT" }, { "$5$", "SHA256-CRYPT" },
		{ "$6$", "SHA512-CRYPT" }, { "$y$", "yescrypt" },
		{ "$gy$", "gost-yescrypt" }, { "$7$", "scrypt" }, { "$sha1$", "SHA1-CRYPT" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strncmp(hash, names[i].prefix, strlen(names[i].prefix)) == 0)
			return names[i].name;
	}
	return "CRYPT";
}

/* What stands between the scheme and the salt: rounds=5000, or j9T. */
static char *describe_crypt(const char *hash)
{
	const char *name = crypt_name(hash);
	const char *settings = strchr(hash + 1, '$') + 1;
	int len = (int)strcspn(settings, "$");

	if (strncmp(hash, "$1$", 3) == 0)
		return xasprintf("%s", name);
	if (strncmp(hash, "$5$", 3) == 0 || strncmp(hash, "$6$", 3) == 0)
		return strncmp(settings, "rounds=", 7) == 0
			       ? xasprintf("%s, rounds %.*s", name, len - 7, settings + 7)
			       : xasprintf("%s, rounds 5000", name);
	if (strncmp(hash, "$sha1$", 6) == 0)
		return xasprintf("%s, rounds %.*s", name, len, settings);
	/* scrypt has no '$' between its 11 characters of settings and its salt. */
	if (strncmp(hash, "$7$", 3) == 0)
		len = 11;
	return xasprintf("%s, settings %.*s", name, len, settings);
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
