/* SPDX-License-Identifier: MIT */
/*
 * Runs statements of a tool on MUM's database, one after the other, and blocks. For
 * mumctl alone; lookups go through store.h.
 */
#ifndef MUM_INSPECT_H
#define MUM_INSPECT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config.h"
#include "common/facts.h"

enum { INSPECT_ERROR_SIZE = 640, INSPECT_COLUMNS_MAX = 24, INSPECT_VALUES_MAX = 4 };

struct inspect;

/* What went wrong, in terms of what an admin can do about it. */
enum inspect_trouble {
	INSPECT_OTHER,
	INSPECT_MISSING,	/* no such table or column */
	INSPECT_DENIED,		/* no right to it */
	INSPECT_LOGIN		/* tls = "verify-ca" does not allow the user's way to log in */
};

struct inspect_error {
	enum inspect_trouble trouble;
	char text[INSPECT_ERROR_SIZE];
};

/*
 * Connects as the configuration's role does, to one entry of database.hosts
 * (SQLite: opens the file, host is not used). NULL sets the error.
 */
struct inspect *inspect_open(const struct mum_config *config, size_t host,
			     struct inspect_error *error_r);
/* The same to the first host that answers; NULL sets the error of the last. */
struct inspect *inspect_open_any(const struct mum_config *config,
				 struct inspect_error *error_r);
/* The number of hosts that inspect_open() takes. */
size_t inspect_hosts(const struct mum_config *config);
/*
 * The same to write. In SQLite the connection allows transactions and INSERT of values
 * into size_measurements only; in MariaDB the user's grants decide.
 */
struct inspect *inspect_open_writer(const struct mum_config *config, size_t host,
				    struct inspect_error *error_r);
void inspect_close(struct inspect **inspect);	/* sets NULL; NULL is fine */

/* The connection's cipher, valid until inspect_close(); NULL when it is not encrypted. */
const char *inspect_cipher(const struct inspect *inspect);

/* The columns are gone when it returns. */
typedef void inspect_row_fn(const struct column *columns, void *arg);

/*
 * Runs one statement and hands out its rows as they come; fn must not run another one.
 * fn may be NULL. False sets the error, perhaps after some rows.
 */
bool inspect_query(struct inspect *inspect, const char *sql, inspect_row_fn *fn,
		   void *arg, struct inspect_error *error_r);
/*
 * The same with a value for each "?" of the statement, bound as text. A row has at most
 * COLUMNS_MAX + 1 columns (columns.h).
 */
bool inspect_ask(struct inspect *inspect, const char *sql, const char *const *values,
		 size_t count, inspect_row_fn *fn, void *arg, struct inspect_error *error_r);
/*
 * inspect_ask() in two steps, so that two connections work at the same time. The first one
 * sends the statement; after true, the connection can only be asked for the rows, or closed.
 * The second one hands out the rows. The values must live until it has returned.
 */
bool inspect_begin(struct inspect *inspect, const char *sql, const char *const *values,
		   size_t count, struct inspect_error *error_r);
bool inspect_rows(struct inspect *inspect, inspect_row_fn *fn, void *arg,
		  struct inspect_error *error_r);

/* Hands out the names of the columns that a statement gives, in their order. */
typedef void inspect_name_fn(const char *name, void *arg);
bool inspect_columns(struct inspect *inspect, const char *sql, inspect_name_fn *fn,
		     void *arg, struct inspect_error *error_r);

/* ---- for the implementations ---- */

struct inspect_ops {
	bool (*query)(struct inspect *inspect, const char *sql, inspect_row_fn *fn,
		      void *arg, struct inspect_error *error_r);
	bool (*begin)(struct inspect *inspect, const char *sql, const char *const *values,
		      size_t count, struct inspect_error *error_r);
	bool (*rows)(struct inspect *inspect, inspect_row_fn *fn, void *arg,
		     struct inspect_error *error_r);
	bool (*columns)(struct inspect *inspect, const char *sql, inspect_name_fn *fn,
			void *arg, struct inspect_error *error_r);
	void (*close)(struct inspect *inspect);
};

/* Each implementation's struct begins with this one. */
struct inspect {
	const struct inspect_ops *ops;
	const char *cipher;
};

struct inspect *inspect_mariadb_open(const struct mum_config *config, size_t host,
				     struct inspect_error *error_r);
struct inspect *inspect_sqlite_open(const struct mum_config *config, bool writes,
				    struct inspect_error *error_r);

#endif
