/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/mariadb.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/store-mariadb/client.h"
#include "common/store-mariadb/connector.h"
#include "common/store-mariadb/session.h"
#include "common/xalloc.h"

struct mariadb mariadb;

/* Errors of the server, of the client, and some that nobody has. */
static const unsigned errors[] = { 1064, 1146, 1205, 1213, 1300, 1690, 2006, 2013, 2026, 2027,
				   3024, 4031, 1, 65535 };

enum { ERRORS = sizeof(errors) / sizeof(errors[0]) };

struct statement {
	MYSQL *mysql;
	unsigned error;
	unsigned long params;		/* of its SQL */
	MYSQL_BIND binds[MARIADB_CELLS];
};

struct connection {
	MYSQL mysql;		/* first: the code under test has a pointer to it */
	unsigned error;
};

struct result {
	unsigned fields;
	size_t rows, read;
	char *row[MARIADB_CELLS];
};

static size_t results;
static int never_ready = -1;

void mariadb_init(struct feed *feed)
{
	if (never_ready < 0)
		never_ready = open("/dev/null", O_RDWR | O_CLOEXEC);
	mariadb = (struct mariadb){ .feed = feed };
}

static void clear_row(void)
{
	for (size_t i = 0; i < MARIADB_CELLS; i++)
		free((char *)(uintptr_t)mariadb.row[i].data);
	memset(mariadb.row, 0, sizeof(mariadb.row));
}

void mariadb_end(void)
{
	clear_row();
	HOLDS(results == 0);
}

/* 0, or the number of an error. */
static unsigned feed_error(void)
{
	unsigned byte = feed_byte(mariadb.feed);

	return byte >= 224 ? errors[byte % ERRORS] : 0;
}

/* Text that may be longer than the first room for a cell. Caller frees. NULL: no value. */
static char *feed_cell(size_t *len_r)
{
	char *text = feed_text(mariadb.feed, len_r), *cell;
	size_t times, len;

	if (text == NULL)
		return NULL;
	times = 1 + feed_byte(mariadb.feed) % 4;
	len = *len_r;
	cell = xmalloc(times * len + 1);
	for (size_t i = 0; i < times; i++)
		memcpy(cell + i * len, text, len);
	cell[times * len] = '\0';
	*len_r = times * len;
	free(text);
	return cell;
}

/* ---- connections ---- */

/* The thread is left out: what it does is done here. */
struct connector {
	const struct mum_host *host;
	connector_done_fn *fn;
	void *arg;
	struct mum_timer *timer;
};

static struct connection *connect_new(struct collations *collations_r,
				      char reason[SESSION_REASON_SIZE])
{
	static const struct collations usual = {
		{ "utf8mb4_unicode_ci", "utf8mb4_unicode_ci", "utf8mb4_bin", "latin1_bin" }
	};
	struct connection *new = xcalloc(1, sizeof(*new));
	bool good = true;

	new->mysql.server_status = SERVER_STATUS_AUTOCOMMIT;
	*collations_r = usual;
	if (mariadb.checks_session)
		good = session_set(&new->mysql, 1000, reason) &&
		       collations_read(&new->mysql, collations_r);
	if (good)
		return new;
	free(new);
	return NULL;
}

static void on_connected(void *arg)
{
	struct connector *connector = arg;
	struct connector done = *connector;
	struct collations collations;
	char reason[SESSION_REASON_SIZE];
	struct connection *new = connect_new(&collations, reason);

	free(connector);
	if (new != NULL)
		done.fn(&new->mysql, &collations, 0, "", done.arg);
	else
		done.fn(NULL, &collations, 2013, "no session", done.arg);
}

struct connector *connector_start(const struct mum_host *host,
				  const struct connector_settings *settings,
				  connector_done_fn *fn, void *arg)
{
	struct connector *connector = xcalloc(1, sizeof(*connector));

	HOLDS(settings->timeout_ms > 0);
	*connector = (struct connector){ .host = host, .fn = fn, .arg = arg };
	connector->timer = host->ops->timer(host->ctx, 0, on_connected, connector);
	return connector;
}

void connector_cancel(struct connector **connector)
{
	if (*connector != NULL)
		host_untimer((*connector)->host, &(*connector)->timer);
	free(*connector);
	*connector = NULL;
}

void mysql_close(MYSQL *mysql)
{
	struct connection *connection = (struct connection *)mysql;

	free(connection);
}

my_socket mysql_get_socket(MYSQL *mysql)
{
	(void)mysql;
	return never_ready;
}

unsigned mysql_errno(MYSQL *mysql)
{
	return ((struct connection *)mysql)->error;
}

/* ---- statements as text ---- */

int mysql_query(MYSQL *mysql, const char *sql)
{
	struct connection *connection = (struct connection *)mysql;

	HOLDS(*sql != '\0');
	connection->error = feed_error();
	return connection->error != 0;
}

MYSQL_RES *mysql_store_result(MYSQL *mysql)
{
	struct connection *connection = (struct connection *)mysql;
	struct result *result;

	connection->error = feed_error();
	if (connection->error != 0)
		return NULL;
	result = xcalloc(1, sizeof(*result));
	results++;
	result->fields = feed_byte(mariadb.feed) % (MARIADB_CELLS + 1);
	result->rows = feed_byte(mariadb.feed) % 8;
	return (MYSQL_RES *)result;
}

unsigned mysql_num_fields(MYSQL_RES *res)
{
	return ((struct result *)res)->fields;
}

my_ulonglong mysql_num_rows(MYSQL_RES *res)
{
	return ((struct result *)res)->rows;
}

/* Its array has no more cells than the row. */
MYSQL_ROW mysql_fetch_row(MYSQL_RES *res)
{
	struct result *result = (struct result *)res;
	size_t len;

	for (size_t i = 0; i < MARIADB_CELLS; i++) {
		free(result->row[i]);
		result->row[i] = NULL;
	}
	if (result->read == result->rows)
		return NULL;
	result->read++;
	for (size_t i = 0; i < result->fields; i++)
		result->row[i] = feed_cell(&len);
	return result->row;
}

void mysql_free_result(MYSQL_RES *res)
{
	struct result *result = (struct result *)res;

	if (result == NULL)
		return;
	for (size_t i = 0; i < MARIADB_CELLS; i++)
		free(result->row[i]);
	free(result);
	results--;
}

/* ---- prepared statements ---- */

MYSQL_STMT *mysql_stmt_init(MYSQL *mysql)
{
	struct statement *statement = xcalloc(1, sizeof(*statement));

	statement->mysql = mysql;
	return (MYSQL_STMT *)statement;
}

my_bool mysql_stmt_close(MYSQL_STMT *stmt)
{
	free(stmt);
	return 0;
}

unsigned mysql_stmt_errno(MYSQL_STMT *stmt)
{
	return ((struct statement *)stmt)->error;
}

const char *mysql_stmt_error(MYSQL_STMT *stmt)
{
	return mysql_stmt_errno(stmt) != 0 ? "an error" : "";
}

/* One step of a statement: it waits for the socket, or it is done. */
static int step(int *failed_r, MYSQL_STMT *stmt)
{
	struct statement *statement = (struct statement *)stmt;
	unsigned byte = feed_byte(mariadb.feed);

	if (byte >= 240)
		return byte % 2 == 0 ? MYSQL_WAIT_READ : MYSQL_WAIT_READ | MYSQL_WAIT_WRITE;
	statement->error = feed_error();
	*failed_r = statement->error != 0;
	mariadb.whole = mariadb.whole && *failed_r == 0;
	return 0;
}

int mysql_stmt_prepare_start(int *failed_r, MYSQL_STMT *stmt, const char *sql,
			     unsigned long len)
{
	struct statement *statement = (struct statement *)stmt;

	HOLDS(strlen(sql) == len && strchr(sql, '{') == NULL);
	for (statement->params = 0; (sql = strchr(sql, '?')) != NULL; sql++)
		statement->params++;
	return step(failed_r, stmt);
}

int mysql_stmt_prepare_cont(int *failed_r, MYSQL_STMT *stmt, int ready)
{
	(void)ready;
	return step(failed_r, stmt);
}

/* The right number, mostly. */
static unsigned count_or(unsigned long right)
{
	unsigned byte = feed_byte(mariadb.feed);

	return byte < 240 ? (unsigned)right : byte % MARIADB_CELLS;
}

unsigned long mysql_stmt_param_count(MYSQL_STMT *stmt)
{
	return count_or(((struct statement *)stmt)->params);
}

unsigned mysql_stmt_field_count(MYSQL_STMT *stmt)
{
	(void)stmt;
	mariadb.columns = count_or(mariadb.columns_wanted);
	return mariadb.columns;
}

my_bool mysql_stmt_bind_param(MYSQL_STMT *stmt, MYSQL_BIND *binds)
{
	struct statement *statement = (struct statement *)stmt;

	for (unsigned long i = 0; i < statement->params; i++)
		HOLDS(strlen(binds[i].buffer) == binds[i].buffer_length);
	statement->error = feed_error();
	return statement->error != 0;
}

int mysql_stmt_execute_start(int *failed_r, MYSQL_STMT *stmt)
{
	return step(failed_r, stmt);
}

int mysql_stmt_execute_cont(int *failed_r, MYSQL_STMT *stmt, int ready)
{
	(void)ready;
	return step(failed_r, stmt);
}

/* The server says with a result whether a transaction is open. */
static int store(int *failed_r, MYSQL_STMT *stmt)
{
	if (feed_byte(mariadb.feed) >= 240)
		((struct statement *)stmt)->mysql->server_status |= SERVER_STATUS_IN_TRANS;
	return step(failed_r, stmt);
}

int mysql_stmt_store_result_start(int *failed_r, MYSQL_STMT *stmt)
{
	return store(failed_r, stmt);
}

int mysql_stmt_store_result_cont(int *failed_r, MYSQL_STMT *stmt, int ready)
{
	(void)ready;
	return store(failed_r, stmt);
}

my_bool mysql_stmt_free_result(MYSQL_STMT *stmt)
{
	(void)stmt;
	clear_row();
	return 0;
}

/* ---- rows ---- */

my_bool mysql_stmt_bind_result(MYSQL_STMT *stmt, MYSQL_BIND *binds)
{
	struct statement *statement = (struct statement *)stmt;

	memcpy(statement->binds, binds, mariadb.columns * sizeof(*binds));
	statement->error = feed_error();
	mariadb.failed = statement->error != 0;
	return mariadb.failed;
}

/* As libmariadb does it: as much as there is room for, and how long it is. */
static void put_cell(MYSQL_BIND *bind, const struct column *cell)
{
	bool fits = cell->len <= bind->buffer_length;

	*bind->is_null = cell->data == NULL;
	if (cell->data == NULL)
		return;
	*bind->length = cell->len;
	*bind->error = !fits;
	memcpy(bind->buffer, cell->data, fits ? cell->len : bind->buffer_length);
}

int mysql_stmt_fetch(MYSQL_STMT *stmt)
{
	struct statement *statement = (struct statement *)stmt;
	int result = 0;

	clear_row();
	statement->error = feed_error();
	mariadb.failed = statement->error != 0;
	mariadb.ended = !mariadb.failed && mariadb.feed->size == 0;
	if (mariadb.failed || mariadb.ended)
		return mariadb.failed ? 1 : MYSQL_NO_DATA;
	for (unsigned i = 0; i < mariadb.columns; i++) {
		struct column *cell = &mariadb.row[i];

		cell->data = feed_cell(&cell->len);
		put_cell(&statement->binds[i], cell);
		if (cell->data != NULL && *statement->binds[i].error)
			result = MYSQL_DATA_TRUNCATED;
	}
	return result;
}

int mysql_stmt_fetch_column(MYSQL_STMT *stmt, MYSQL_BIND *bind, unsigned column,
			    unsigned long offset)
{
	struct statement *statement = (struct statement *)stmt;

	HOLDS(column < mariadb.columns && offset == 0);
	statement->error = feed_error();
	mariadb.failed = statement->error != 0;
	if (!mariadb.failed)
		put_cell(bind, &mariadb.row[column]);
	return mariadb.failed;
}
