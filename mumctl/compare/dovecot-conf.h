/* SPDX-License-Identifier: MIT */
/*
 * The settings of Dovecot 2.4 for its sql driver, which asks for MUM's users: the
 * queries, and what Dovecot makes of their rows.
 */
#ifndef MUM_DOVECOT_CONF_H
#define MUM_DOVECOT_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "mumctl/compare/dovecot-sql.h"
#include "mumctl/doveconf.h"

/* The settings to ask doveconf for; ends with NULL. */
extern const char *const dovecot_conf_names[];

/* What an answer gets: the columns of the row, and fields { }, which count more. */
struct dovecot_fields {
	bool import_all;	/* else no column */
	size_t count;
	struct {
		char *name, *text;	/* with variables */
	} *items;
};

struct dovecot_conf {
	char *username_format;
	struct dovecot_fields passdb, userdb;
};

/*
 * Returns NULL and sets both, or returns why these settings cannot be compared. The queries
 * have the variables of 2.4. Call both clear functions in any case.
 */
const char *dovecot_conf_read(const struct doveconf *settings, struct dovecot_sql *sql_r,
			      struct dovecot_conf *conf_r);
void dovecot_conf_clear(struct dovecot_conf *conf);

#endif
