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

/*
 * Call this before connecting. The server must have a certificate of a trusted
 * authority; with verify_name the certificate must also be for the host that we
 * connect to, whatever that host is. Returns 0, or what mysql_optionsv() returns.
 */
int tls_peer_verify(MYSQL *mysql, bool verify_name);

#endif
