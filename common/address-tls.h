/* SPDX-License-Identifier: MIT */
/*
 * TLS policy keys (postconf(5), smtp_tls_policy_maps): a domain in brackets, with a
 * leading dot or with a port. They compare as the domain in them does. The caller
 * frees each char *.
 */
#ifndef MUM_ADDRESS_TLS_H
#define MUM_ADDRESS_TLS_H

#include <stddef.h>

/* A domain alone folds as address_fold_domain() does. */
char *address_fold_tls(const char *text, size_t len);
/* As address_other_spelling(). */
char *address_other_tls(const char *folded);

#endif
