/* SPDX-License-Identifier: MIT */
/*
 * The queries with which Dovecot asks for MUM's users in the stock setup: from 2.3's SQL
 * file, or from the configuration of 2.4.
 */
#ifndef MUM_COMPARE_STOCK_QUERIES_H
#define MUM_COMPARE_STOCK_QUERIES_H

#include "common/inspect.h"
#include "common/mail-location.h"
#include "dovecot-plugin/userdb-fields.h"
#include "mumctl/compare/dovecot-conf.h"
#include "mumctl/compare/dovecot-sql.h"

/* 2.3 takes home, mail and quota_rule; 2.4 takes the mail location as settings. */
enum { FIELDS_MAX = MAIL_SETTINGS + 2 };
size_t stock_field_count(enum dovecot_generation generation);
const char *stock_field_name(enum dovecot_generation generation, size_t number);
/* Does compare look at a field of that name in an answer of 2.4? */
bool stock_field_is_compared(const char *name);

/* The names of a query's columns. */
struct column_names {
	size_t count;
	char *names[INSPECT_COLUMNS_MAX];
	bool too_many;
};

/* The number of the column of this name; names->count if there is none. */
size_t stock_column(const struct column_names *names, const char *name);

struct stock_queries {
	enum dovecot_generation generation;
	char *source;			/* the file, in words; in front of complaints */
	struct dovecot_sql sql;
	struct dovecot_conf conf;	/* of 2.4 */
	struct column_names passdb, userdb, list;	/* the same */
	struct inspect *db;		/* as the module's database user, who may read what they need */
	bool sqlite;
};

enum stock_read { STOCK_READ, STOCK_LEFT_OUT, STOCK_UNREADABLE };

/*
 * Reads the file; NULL: what the installed Dovecot has. Complains if there is nothing to
 * compare. Call stock_queries_clear() in any case.
 */
enum stock_read stock_queries_read(struct stock_queries *queries_r, const char *file);
void stock_queries_clear(struct stock_queries *queries);

/*
 * Can we compare them with this mum.conf, whose database is open? Complains if not. Sets
 * *failed if the reason is that the database gave no answer.
 */
bool stock_queries_check(struct stock_queries *queries, const struct mum_config *config,
			 bool *failed);

/* Does stock's query or its fields { } have this field? Else compare leaves it out. */
bool stock_has_field(const struct stock_queries *queries, size_t number);

/* The user as the variables of 2.4 have it; NULL when there is none. Caller frees. */
char *stock_user(const struct stock_queries *queries, const char *typed);

/*
 * Runs one of the queries for the user and hands out the columns, which have names such as
 * "stock.home". False: it has complained, with what in front.
 */
bool stock_query(const struct stock_queries *queries, const char *what, const char *columns,
		 const char *query, const char *user, inspect_row_fn *fn, void *arg);

#endif
