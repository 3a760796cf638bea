/* SPDX-License-Identifier: MIT */
/* The only file that includes <mysql.h>; for this folder alone. */
#ifndef MUM_STORE_MARIADB_CLIENT_H
#define MUM_STORE_MARIADB_CLIENT_H

#include <mysql.h>

#endif
