/* SPDX-License-Identifier: MIT */
#include "common/inspect.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/store-mariadb/cells.h"
#include "common/store-mariadb/connector.h"
#include "common/store-mariadb/errors.h"
#include "common/store-mariadb/session.h"
#include "common/xalloc.h"

enum { READING_MAX = 60000 };	/* ms that a statement may take */

struct inspect_mariadb {
	struct inspect inspect;	/* first: the inspect_ops cast to inspect_mariadb */
	MYSQL *mysql;
	MYSQL_STMT *stmt;	/* that has begun; or NULL */
	int events;		/* that its execution waits for; 0: it is over */
	int failed;		/* its result */
};

static void set_error(struct inspect_error *error, unsigned number, const char *text)
{
	error->trouble = number == 1146 || number == 1054   ? INSPECT_MISSING
			 : number == 1142 || number == 1143 ? INSPECT_DENIED
			 : number == ERROR_PLUGIN	    ? INSPECT_LOGIN
							    : INSPECT_OTHER;
	/* The number always fits behind the text. */
	snprintf(error->text, sizeof(error->text), "%.*s (%u)",
		 (int)sizeof(error->text) - 16, text, number);
}

static void give_row(MYSQL_RES *result, MYSQL_ROW row, inspect_row_fn *fn, void *arg)
{
	struct column columns[INSPECT_COLUMNS_MAX];
	const unsigned long *lengths = mysql_fetch_lengths(result);
	unsigned count = mysql_num_fields(result);

	for (unsigned i = 0; i < count && i < INSPECT_COLUMNS_MAX; i++)
		columns[i] = (struct column){ row[i], lengths[i] };
	fn(columns, arg);
}

/*
 * Waits for the server and returns what happened. The connection's read timeout is meant
 * for lookups; a statement about a whole table may need longer for its first row.
 */
static int wait_for(MYSQL *mysql, int events)
{
	struct pollfd fd = { .fd = mysql_get_socket(mysql) };
	int count;

	fd.events = (short)(((events & MYSQL_WAIT_READ) != 0 ? POLLIN : 0) |
			    ((events & MYSQL_WAIT_WRITE) != 0 ? POLLOUT : 0) |
			    ((events & MYSQL_WAIT_EXCEPT) != 0 ? POLLPRI : 0));
	do {
		count = poll(&fd, 1, READING_MAX + 1000);
	} while (count < 0 && errno == EINTR);
	if (count <= 0)
		return MYSQL_WAIT_TIMEOUT;
	return ((fd.revents & (POLLIN | POLLERR | POLLHUP)) != 0 ? MYSQL_WAIT_READ : 0) |
	       ((fd.revents & POLLOUT) != 0 ? MYSQL_WAIT_WRITE : 0) |
	       ((fd.revents & POLLPRI) != 0 ? MYSQL_WAIT_EXCEPT : 0);
}

static bool send_statement(MYSQL *mysql, const char *sql)
{
	int failed;
	int events = mysql_real_query_start(&failed, mysql, sql, strlen(sql));

	while (events != 0)
		events = mysql_real_query_cont(&failed, mysql, wait_for(mysql, events));
	return failed == 0;
}

static MYSQL_ROW next_row(MYSQL *mysql, MYSQL_RES *result)
{
	MYSQL_ROW row;
	int events = mysql_fetch_row_start(&row, result);

	while (events != 0)
		events = mysql_fetch_row_cont(&row, result, wait_for(mysql, events));
	return row;
}

/* Callbacks for names and rows; or NULL. */
struct takers {
	inspect_name_fn *name;
	inspect_row_fn *row;
	void *arg;
};

static bool run(struct inspect *_inspect, const char *sql, const struct takers *takers,
		struct inspect_error *error_r)
{
	MYSQL *mysql = ((struct inspect_mariadb *)_inspect)->mysql;
	MYSQL_RES *result;
	MYSQL_ROW row;

	/* The result is not stored: tables may be large, and fn keeps what it wants. */
	result = send_statement(mysql, sql) ? mysql_use_result(mysql) : NULL;
	for (unsigned i = 0; result != NULL && takers->name != NULL &&
			     i < mysql_num_fields(result); i++)
		takers->name(mysql_fetch_field_direct(result, i)->name, takers->arg);
	while (result != NULL && (row = next_row(mysql, result)) != NULL) {
		if (takers->row != NULL)
			give_row(result, row, takers->row, takers->arg);
	}
	if (mysql_errno(mysql) != 0)
		set_error(error_r, mysql_errno(mysql), mysql_error(mysql));
	else
		error_r = NULL;
	if (result != NULL)
		mysql_free_result(result);
	return error_r == NULL;
}

static bool query(struct inspect *inspect, const char *sql, inspect_row_fn *fn, void *arg,
		  struct inspect_error *error_r)
{
	return run(inspect, sql, &(struct takers){ .row = fn, .arg = arg }, error_r);
}

static bool columns(struct inspect *inspect, const char *sql, inspect_name_fn *fn, void *arg,
		    struct inspect_error *error_r)
{
	return run(inspect, sql, &(struct takers){ .name = fn, .arg = arg }, error_r);
}

/* ---- statements with values ---- */

static bool prepare(MYSQL *mysql, MYSQL_STMT *stmt, const char *sql)
{
	int failed;
	int events = mysql_stmt_prepare_start(&failed, stmt, sql, strlen(sql));

	while (events != 0)
		events = mysql_stmt_prepare_cont(&failed, stmt, wait_for(mysql, events));
	return failed == 0;
}

/* The values stay as they are until the statement is closed. */
static bool bind_values(MYSQL_STMT *stmt, const char *const *values, size_t count)
{
	MYSQL_BIND binds[INSPECT_VALUES_MAX];

	assert(count <= INSPECT_VALUES_MAX);
	memset(binds, 0, sizeof(binds));
	for (size_t i = 0; i < count; i++) {
		binds[i].buffer_type = MYSQL_TYPE_STRING;
		binds[i].buffer = (char *)values[i];
		binds[i].buffer_length = strlen(values[i]);
	}
	assert(mysql_stmt_param_count(stmt) == count);
	return mysql_stmt_bind_param(stmt, binds) == 0;
}

/* As cells_take(). */
static int fetch(MYSQL *mysql, MYSQL_STMT *stmt, struct cells *cells, unsigned count,
		 struct column *columns)
{
	int result, events;

	if (!cells_bind(cells, stmt, count))
		return -1;
	events = mysql_stmt_fetch_start(&result, stmt);
	while (events != 0)
		events = mysql_stmt_fetch_cont(&result, stmt, wait_for(mysql, events));
	return cells_take(cells, stmt, count, result, columns);
}

/* The result is not stored, so that fn works while the server makes the next rows. */
static bool hand_out(MYSQL *mysql, MYSQL_STMT *stmt, inspect_row_fn *fn, void *arg)
{
	struct column columns[COLUMNS_MAX + 1];
	struct cells cells = { .bound = false };
	unsigned count = mysql_stmt_field_count(stmt);
	int result;

	assert(count <= COLUMNS_MAX + 1);
	while ((result = fetch(mysql, stmt, &cells, count, columns)) == 1) {
		if (fn != NULL)
			fn(columns, arg);
	}
	cells_free(&cells);
	return result == 0;
}

/* Returns good. */
static bool end(struct inspect_mariadb *inspect, bool good, struct inspect_error *error_r)
{
	if (!good && mysql_stmt_errno(inspect->stmt) != 0)
		set_error(error_r, mysql_stmt_errno(inspect->stmt),
			  mysql_stmt_error(inspect->stmt));
	else if (!good)		/* of a row */
		set_error(error_r, mysql_errno(inspect->mysql), mysql_error(inspect->mysql));
	mysql_stmt_close(inspect->stmt);
	inspect->stmt = NULL;
	return good;
}

static bool begin(struct inspect *_inspect, const char *sql, const char *const *values,
		  size_t count, struct inspect_error *error_r)
{
	struct inspect_mariadb *inspect = (struct inspect_mariadb *)_inspect;

	assert(inspect->stmt == NULL);
	inspect->stmt = xchecked(mysql_stmt_init(inspect->mysql));
	if (!prepare(inspect->mysql, inspect->stmt, sql) ||
	    !bind_values(inspect->stmt, values, count))
		return end(inspect, false, error_r);
	inspect->events = mysql_stmt_execute_start(&inspect->failed, inspect->stmt);
	return true;
}

static bool rows(struct inspect *_inspect, inspect_row_fn *fn, void *arg,
		 struct inspect_error *error_r)
{
	struct inspect_mariadb *inspect = (struct inspect_mariadb *)_inspect;

	while (inspect->events != 0)
		inspect->events = mysql_stmt_execute_cont(
			&inspect->failed, inspect->stmt,
			wait_for(inspect->mysql, inspect->events));
	return end(inspect, inspect->failed == 0 &&
			    hand_out(inspect->mysql, inspect->stmt, fn, arg), error_r);
}

static void close_connection(struct inspect *_inspect)
{
	struct inspect_mariadb *inspect = (struct inspect_mariadb *)_inspect;

	/* In this order: a statement of an open connection would write to it. */
	if (inspect->mysql != NULL)
		mysql_close(inspect->mysql);
	if (inspect->stmt != NULL)
		mysql_stmt_close(inspect->stmt);
	free(inspect);
}

static const struct inspect_ops ops = { query, begin, rows, columns, close_connection };

struct inspect *inspect_mariadb_open(const struct mum_config *config, size_t host,
				     struct inspect_error *error_r)
{
	struct connector_settings settings =
		connector_settings(config, config->database.hosts.items[host]);
	struct inspect_mariadb *inspect = xcalloc(1, sizeof(*inspect));
	char text[CONNECTOR_ERROR_SIZE];
	unsigned number;

	inspect->inspect.ops = &ops;
	inspect->mysql = connector_open(&settings, &number, text);
	/* The limit of a lookup would be too short for whole tables. */
	if (inspect->mysql != NULL)
		session_limit(inspect->mysql, READING_MAX);
	if (inspect->mysql == NULL) {
		set_error(error_r, number, text);
		close_connection(&inspect->inspect);
		return NULL;
	}
	inspect->inspect.cipher = mysql_get_ssl_cipher(inspect->mysql);
	return &inspect->inspect;
}
