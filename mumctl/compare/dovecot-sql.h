/* SPDX-License-Identifier: MIT */
/*
 * An SQL file of Dovecot 2.3's sql driver (dovecot-sql.conf): its queries, and what
 * Dovecot makes of them for a user.
 */
#ifndef MUM_DOVECOT_SQL_H
#define MUM_DOVECOT_SQL_H

#include <stdbool.h>
#include <stdio.h>

#include "common/buf.h"

/* "" where the file has none of that name. */
struct dovecot_sql {
	char *database;			/* of the connect line: a name, or SQLite's path */
	char *default_pass_scheme;	/* "MD5" by default, as Dovecot has it */
	char *password_query, *user_query, *iterate_query;
	char *config_version;		/* only in a configuration of Dovecot 2.4 */
};

/* Reads "name = value" lines; a line with a backslash at its end goes on in the next. */
void dovecot_sql_read(FILE *file, struct dovecot_sql *sql_r);
void dovecot_sql_clear(struct dovecot_sql *sql);

/*
 * The query for a user. As Dovecot does by default, splits the user at the first '@',
 * in small letters. A quoted string with %u, %n or %d becomes a literal that nothing in
 * the user's name can end. NULL if the query has another variable, or one outside of
 * quotes. Caller frees.
 */
char *dovecot_sql_for_user(const char *query, const char *user, bool sqlite);

/* Appends a literal of any bytes. It takes on the collation of what it is compared with. */
void dovecot_sql_put_literal(struct buf *sql, const char *text, size_t len, bool sqlite);

/*
 * Would the verifier of this default_pass_scheme accept this well-formed hash as one of its
 * own? hash begins with '$'. Sets *known_r to false for a scheme that we do not know.
 */
bool dovecot_sql_verifies(const char *scheme, const char *hash, bool *known_r);

#endif
