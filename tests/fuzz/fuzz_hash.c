/* SPDX-License-Identifier: MIT */
/* Password hashes as MUM stores them, under any limits of mum.conf. */
#include "common/password-hash.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

static struct hash_limits feed_limits(struct feed *feed)
{
	unsigned choice = feed_byte(feed);

	return (struct hash_limits){
		.allow_prefix = choice % 2 == 1,
		.bcrypt_cost = choice / 2 % 32,
		.argon2_memory = (size_t)1 << feed_byte(feed) % 31,
		.argon2_time = feed_byte(feed),
		.crypt_rounds = feed_byte(feed) * 1000,
		.yescrypt_cost = feed_byte(feed) % 32,
	};
}

static bool is_taken(const char *hash, const struct hash_limits *limits,
		     enum hash_scheme *scheme_r)
{
	const char *why = hash_check(hash, limits, scheme_r);

	HOLDS((why == NULL) == (*scheme_r != HASH_NONE));
	HOLDS(why == NULL || *why != '\0');
	return why == NULL;
}

/* What crypt(3) and Dovecot see first decides: no scheme is taken for another one. */
static void check_scheme(const char *hash, enum hash_scheme scheme,
			 const struct hash_limits *limits)
{
	static const char *const begins[] = {
		[HASH_BCRYPT] = "$2", [HASH_ARGON2I] = "$argon2i$",
		[HASH_ARGON2ID] = "$argon2id$", [HASH_CRYPT] = "$", [HASH_PREFIXED] = "{",
	};

	HOLDS(strncmp(hash, begins[scheme], strlen(begins[scheme])) == 0);
	HOLDS(scheme != HASH_PREFIXED || limits->allow_prefix);
	if (scheme == HASH_BCRYPT)
		HOLDS(strlen(hash) == 60 &&
		      strtoul(hash + 4, NULL, 10) <= limits->bcrypt_cost);
}

/* What is let in under some limits is let in under higher ones. */
static void check_higher(const char *hash, enum hash_scheme scheme, struct hash_limits limits)
{
	enum hash_scheme again;

	limits.allow_prefix = true;
	limits.bcrypt_cost++;
	limits.argon2_memory *= 2;
	limits.argon2_time++;
	limits.crypt_rounds++;
	limits.yescrypt_cost++;
	HOLDS(is_taken(hash, &limits, &again) && again == scheme);
}

/* As long as the hash, and let in where it is. */
static void check_dummy(const char *hash, enum hash_scheme scheme,
			const struct hash_limits *limits)
{
	char *dummy = hash_dummy(hash);
	enum hash_scheme again;

	HOLDS(strlen(dummy) == strlen(hash));
	if (scheme != HASH_PREFIXED)
		HOLDS(is_taken(dummy, limits, &again) && again == scheme);
	free(dummy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed feed = { data, size };
	struct hash_limits limits = feed_limits(&feed);
	enum hash_scheme scheme;
	char *hash = calloc(1, feed.size + 1);

	if (feed.size > 0)
		memcpy(hash, feed.data, feed.size);
	if (is_taken(hash, &limits, &scheme)) {
		fuzz_reached();
		check_scheme(hash, scheme, &limits);
		check_higher(hash, scheme, limits);
		check_dummy(hash, scheme, &limits);
	}
	free(hash);
	return 0;
}
