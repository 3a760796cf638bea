/* SPDX-License-Identifier: MIT */
/*
 * SipHash with a secret of each table: remote peers choose the keys, and could fill
 * one bucket if they knew the hash. For uthash's *_BYHASHVALUE calls.
 */
#ifndef MUM_KEYED_HASH_H
#define MUM_KEYED_HASH_H

#include <sodium/crypto_shorthash.h>
#include <stddef.h>
#include <string.h>

#include "common/xalloc.h"

/* uthash itself would end a process without memory, and say nothing. */
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

#endif
