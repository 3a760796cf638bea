/* SPDX-License-Identifier: MIT */
/*
 * In which collation each column compares that a name is compared with.
 *
 * A name of a batch passes through JSON_TABLE, and what comes out of that has
 * a collation of its own: that of the database, or of the server, by version.
 * Compared with a column of another collation, that is error 1267; through
 * another character set, it loses characters. So a statement says the type of
 * the very column that a name is compared with. MUM's migrations make all of
 * them utf8mb4_unicode_ci; sites have changed that, table by table.
 */
#ifndef MUM_STORE_MARIADB_COLLATIONS_H
#define MUM_STORE_MARIADB_COLLATIONS_H

#include <stdbool.h>

struct st_mysql;	/* MYSQL of <mysql.h> */

/* The columns, in the words of a statement's template; see collations_fill(). */
#define COLUMN_DOMAIN "domains.domain"
#define COLUMN_MAILBOX "mailboxes.local_part"
#define COLUMN_ALIAS "aliases.local_part"
#define COLUMN_TLS "tls_policies.domain"

enum { COLLATION_COLUMNS = 4, COLLATION_SIZE = 64 };

struct collations {
	char names[COLLATION_COLUMNS][COLLATION_SIZE];
};

/*
 * Asks the server in one question, and blocks. A column that is not there, or may not be read,
 * has MUM's own collation: its statement will say what is wrong with it. False
 * with mysql_errno() set when the server gave no answer, and with mysql_errno()
 * 0 when it gave one that is no collation.
 */
bool collations_read(struct st_mysql *mysql, struct collations *collations_r);

/*
 * Are all columns of the session's character set? A parameter then takes the collation
 * of whatever column it is compared with, also of one that is altered meanwhile. With
 * others the server may convert the column instead of the name, row by row.
 */
bool collations_are_utf8mb4(const struct collations *collations);

/*
 * The statement of a template. In it, "{type COLUMN}" becomes the type of that
 * column, and "{collation COLUMN}" the name of its collation. Caller frees.
 */
char *collations_fill(const struct collations *collations, const char *template);

#endif
