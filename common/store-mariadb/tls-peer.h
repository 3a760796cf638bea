/* SPDX-License-Identifier: MIT */
/*
 * What a server must prove over TLS. libmariadb 3.3 checks what it is told to check.
 * 3.4 decides by the address of the server whether to check the name; this module
 * makes it check what we want.
 */
#ifndef MUM_STORE_MARIADB_TLS_PEER_H
#define MUM_STORE_MARIADB_TLS_PEER_H

#include <stdbool.h>

#include "common/store-mariadb/client.h"

enum { TLS_PEER_REASON_SIZE = 200 };	/* bytes */

/*
 * Whether this libmariadb does TLS with OpenSSL: no other library is known to keep what
 * tls_peer_verify() promises. Call it after mysql_init(). False sets reason_r.
 */
bool tls_peer_is_possible(char reason_r[TLS_PEER_REASON_SIZE]);

/*
 * Call this before connecting, where tls_peer_is_possible(). The server must have a
 * certificate of a trusted authority; with verify_name the certificate must also be for
 * the host that we connect to, whatever that host is. Returns 0, or what
 * mysql_optionsv() returns.
 */
int tls_peer_verify(MYSQL *mysql, bool verify_name);

#endif
