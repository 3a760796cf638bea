/* SPDX-License-Identifier: MIT */
/*
 * SipHash with a secret per table: remote peers choose the keys, and could fill one
 * bucket if they knew the hash. For uthash's *_BYHASHVALUE calls.
 */
#ifndef MUM_KEYED_HASH_H
#define MUM_KEYED_HASH_H

#include <sodium/crypto_shorthash.h>
#include <stddef.h>
#include <string.h>

#include "common/xalloc.h"

/* Without memory uthash would end the process and say nothing. */
#define uthash_malloc(size) xmalloc(size)
#include <uthash.h>

struct keyed_hash {
	unsigned char secret[crypto_shorthash_KEYBYTES];
};

static inline void keyed_hash_init(struct keyed_hash *hash)
{
	crypto_shorthash_keygen(hash->secret);
}

static inline unsigned keyed_hash(const struct keyed_hash *hash, const char *text,
				  size_t len)
{
	unsigned char digest[crypto_shorthash_BYTES];
	unsigned value;

	crypto_shorthash(digest, (const unsigned char *)text, len, hash->secret);
	memcpy(&value, digest, sizeof(value));
	return value;
}

/*
 * A table is a pointer to its first entry, whose struct has a UT_hash_handle hh. Sets entry
 * to the one with this key, or to NULL.
 */
#define KEYED_FIND(table, hash, text, len, entry) \
	HASH_FIND_BYHASHVALUE(hh, table, text, len, keyed_hash(hash, text, len), entry)

/* Sets entry to a new one, zeroed but for the key in its last member, key[]. */
#define KEYED_ADD(table, hash, text, len, entry, key) \
	do { \
		(entry) = xcalloc(1, sizeof(*(entry)) + (len) + 1); \
		memcpy((entry)->key, text, len); \
		HASH_ADD_KEYPTR_BYHASHVALUE(hh, table, (entry)->key, len, \
					    keyed_hash(hash, text, len), entry); \
	} while (0)

/* Frees all entries, which own nothing. */
#define KEYED_FREE(table, entry, next) \
	HASH_ITER(hh, table, entry, next) { \
		HASH_DELETE(hh, table, entry); \
		free(entry); \
	}

/* Frees all entries, each of which owns what this member points to. */
#define KEYED_FREE_WITH(table, entry, next, member) \
	HASH_ITER(hh, table, entry, next) { \
		HASH_DELETE(hh, table, entry); \
		free((entry)->member); \
		free(entry); \
	}

#endif
