/* SPDX-License-Identifier: MIT */
/* What Dovecot is told of one login: by the queries of stock's SQL file, and by the module. */
#ifndef MUM_COMPARE_LOGINS_H
#define MUM_COMPARE_LOGINS_H

#include "common/inspect.h"
#include "mumctl/compare/dovecot-sql.h"
#include "mumctl/tool.h"

enum login { LOGIN_UNKNOWN, LOGIN_REFUSED, LOGIN_ACCEPTED, LOGIN_FAILS };
enum mail { MAIL_NONE, MAIL_FOUND, MAIL_FAILS };

enum { FIELDS = 3 };
extern const char *const field_names[FIELDS];	/* home, mail, quota_rule */

/* What one side answers. */
struct side {
	enum login login;
	enum mail mail;
	char *fields[FIELDS];	/* with MAIL_FOUND */
	char *user;		/* ours: the name as MUM has it, or NULL */
	const char *why;	/* ours: of LOGIN_REFUSED and MAIL_FAILS; static */
	bool send_only;
};

/* Where stock's queries are asked. */
struct stock_queries {
	struct inspect *db;	/* as the module's database user, who may read what they need */
	bool sqlite;
	struct dovecot_sql sql;
};

/*
 * Asks one of the queries for the user and hands out the columns, which are named as
 * "stock.home". False: complained about, with what in front.
 */
bool stock_query(const struct stock_queries *queries, const char *what, const char *columns,
		 const char *query, const char *user, inspect_row_fn *fn, void *arg);

/* False when there is no answer: it has complained. Call side_clear() in any case. */
bool side_ask_stock(const struct stock_queries *queries, const char *user,
		    struct side *side_r);
bool side_ask_ours(struct tool *tool, const char *user, struct side *side_r);
void side_clear(struct side *side);

#endif
