/* SPDX-License-Identifier: MIT */
/* Verifies passwords as Dovecot does, with libxcrypt and libsodium; and names hashes. */
#ifndef MUM_VERIFY_H
#define MUM_VERIFY_H

#include <stdbool.h>

#include "common/password-hash.h"

/*
 * Is it the password of a hash that hash_check() let pass? *why_r is NULL, or
 * static text that says why mumctl cannot tell.
 */
bool verify_password(const char *password, const char *hash, enum hash_scheme scheme,
		     const char **why_r);

/*
 * "bcrypt, cost 10": scheme and cost, nothing of salt or hash. hash_check() must have
 * let the hash pass. Caller frees.
 */
char *verify_describe(const char *hash, enum hash_scheme scheme);

#endif
