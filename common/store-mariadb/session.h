/* SPDX-License-Identifier: MIT */
/*
 * The session variables on which statements and their answers depend. The server's
 * configuration, its init_connect or a proxy may have set them to anything before we
 * get a connection. So we set them, read them back and try them.
 */
#ifndef MUM_STORE_MARIADB_SESSION_H
#define MUM_STORE_MARIADB_SESSION_H

#include <stdbool.h>

struct st_mysql;	/* MYSQL of <mysql.h> */

enum { SESSION_REASON_SIZE = 256 };	/* bytes */

/*
 * Sets up a new connection; blocks. False when it must not be used: reason_r then
 * names the variable that would change answers; or it is "", and mysql_errno() tells
 * why the connection broke. Variables that cannot change an answer are set if the
 * server allows it.
 */
bool session_set(struct st_mysql *mysql, unsigned timeout_ms,
		 char reason_r[SESSION_REASON_SIZE]);

/*
 * Limits the time of each statement on the server, because closing a connection does
 * not end its statement there; blocks. False when no limit could be set; the
 * connection can be used all the same.
 */
bool session_limit(struct st_mysql *mysql, unsigned timeout_ms);

/*
 * True if the last reply says that autocommit is on and no transaction is open. Otherwise
 * the connection would go on reading what was there when the transaction began.
 */
bool session_sees_changes(const struct st_mysql *mysql);

#endif
