/* SPDX-License-Identifier: MIT */
/*
 * Variables of Dovecot 2.4, such as "%{user | domain}": the user and the columns of a row,
 * with the filters that take a name apart.
 */
#ifndef MUM_DOVECOT_VARS_H
#define MUM_DOVECOT_VARS_H

#include <stdbool.h>

#include "common/buf.h"

struct dovecot_vars {
	const char *user;
	/* The value of %{sql:NAME}, or NULL if the row has none. */
	const char *(*column)(const char *name, void *arg);	/* NULL: there is no row */
	void *arg;
};

enum dovecot_expanded {
	EXPANDED,
	EXPAND_UNSET,	/* some variable has no value, so Dovecot fails */
	EXPAND_UNKNOWN	/* a variable, filter or syntax that we do not know */
};

/* Appends the text with its variables replaced. If that fails, a part may be appended. */
enum dovecot_expanded dovecot_expand(struct buf *out, const char *text,
				     const struct dovecot_vars *vars);

/*
 * The query for a user. A quoted string with variables becomes a literal that nothing in
 * the user's name can end; EXPAND_UNKNOWN if such a string has an escape in it, or if
 * a variable is outside of quotes. Caller frees *sql_r, which is set if EXPANDED.
 */
enum dovecot_expanded dovecot_expand_query(const char *query, const struct dovecot_vars *vars,
					   bool sqlite, char **sql_r);

#endif
