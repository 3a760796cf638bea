/* SPDX-License-Identifier: MIT */
/*
 * The collations of the columns with which names are compared.
 *
 * A name of a batch passes through JSON_TABLE, and what comes out has a collation of
 * its own: that of the database or of the server, depending on the version. Comparing
 * it with a column of another collation is error 1267; another character set loses
 * characters. So a statement gives each name the type of the very column that the name
 * is compared with. MUM's migrations make all of them utf8mb4_unicode_ci; sites have
 * changed that, table by table.
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
 * Asks the server with one statement, and blocks. For a column that does not exist or
 * that the user may not read, MUM's own collation is taken: the statement that uses the
 * column will say what is wrong with it. False with mysql_errno() set when the server
 * gave no answer; false with mysql_errno() 0 when the answer is not a collation.
 */
bool collations_read(struct st_mysql *mysql, struct collations *collations_r);

/*
 * Do all columns have the session's character set? Then a parameter takes the collation of
 * the column that it is compared with, even if the column is altered meanwhile. With
 * another character set the server may convert the column instead of the name, row by row.
 */
bool collations_are_utf8mb4(const struct collations *collations);

/*
 * The statement of a template. In it, "{type COLUMN}" becomes the type of that
 * column, and "{collation COLUMN}" the name of its collation. Caller frees.
 */
char *collations_fill(const struct collations *collations, const char *template);

#endif
