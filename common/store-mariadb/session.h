/* SPDX-License-Identifier: MIT */
/*
 * The session variables that statements and their answers depend on. A
 * server's configuration, its init_connect or a proxy may have set them to
 * anything before a connection is ours, so they are set, read back and tried.
 */
#ifndef MUM_STORE_MARIADB_SESSION_H
#define MUM_STORE_MARIADB_SESSION_H

#include <stdbool.h>

struct st_mysql;	/* MYSQL of <mysql.h> */

enum { SESSION_REASON_SIZE = 256 };	/* bytes */

/*
 * Sets up a new connection; blocks. False when it must not be used: reason_r
 * then names the variable that would change answers, or is "" and mysql_errno()
 * tells why the connection broke. Variables that cannot change an answer are
 * set where the server lets us.
 */
bool session_set(struct st_mysql *mysql, unsigned timeout_ms,
		 char reason_r[SESSION_REASON_SIZE]);

/*
 * Limits the time of each statement on the server's side, since closing a
 * connection does not end its statement there; blocks. False when no limit
 * could be set, which is no reason to do without the connection.
 */
bool session_limit(struct st_mysql *mysql, unsigned timeout_ms);

/*
 * True if the last reply says that the connection commits by itself and is in
 * no transaction. Else what it reads stays as it was when the transaction began.
 */
bool session_sees_changes(const struct st_mysql *mysql);

#endif
