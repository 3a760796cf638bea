/* SPDX-License-Identifier: MIT */
/*
 * Who a server must prove to be over TLS. libmariadb 3.3 asks for what it is told to; 3.4
 * decides by the address of the server whether its name counts, so here it is told how.
 */
#ifndef MUM_STORE_MARIADB_TLS_PEER_H
#define MUM_STORE_MARIADB_TLS_PEER_H

#include <stdbool.h>

#include "common/store-mariadb/client.h"

/*
 * Before the connection is made: a certificate of a trusted authority must be there, and
 * with verify_name it must be for the host that is connected to, whatever that host is.
 * 0, or what mysql_optionsv() returns.
 */
int tls_peer_verify(MYSQL *mysql, bool verify_name);

#endif
