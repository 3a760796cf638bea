/* SPDX-License-Identifier: MIT */
#include "common/store-mariadb/conn.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/store-mariadb/cells.h"
#include "common/store-mariadb/session.h"
#include "common/store-mariadb/statements.h"
#include "common/xalloc.h"

enum conn_state {
	CONN_CONNECTING,
	CONN_IDLE,
	CONN_PREPARING,
	CONN_EXECUTING,
	CONN_STORING,
	CONN_DEAD
};

struct conn {
	const struct mum_host *host;
	unsigned timeout_ms;
	conn_event_fn *fn;
	void *arg;
	enum conn_state state;		/* assigned in set_state() alone */
	struct connector *connector;	/* while CONN_CONNECTING */
	MYSQL *mysql;			/* afterwards; closed before its statements */
	struct collations collations;
	int fd;				/* a duplicate of its socket, for the watch; or -1 */
	struct prepared {
		MYSQL_STMT *stmt;	/* NULL until first needed */
		char *sql;		/* NULL if stmt is */
		bool done;		/* mysql_stmt_prepare() was a success */
	} prepared[MUM_QUESTIONS][STATEMENT_SHAPES];
	enum question_kind kind;	/* under way */
	enum statement_shape shape;
	char *values[PARAMS_MAX];	/* of its parameters; bound, so kept until done */
	bool step_done;			/* set by conn_execute(); on_step_done() goes on */
	int failed;			/* what the current libmariadb call returned */
	struct mum_watch *watch;
	unsigned watched;		/* events of the watch */
	struct mum_timer *timer;	/* limit of the statement */
	struct cells cells;
	bool timed_out;
	unsigned error_number;
	char error_text[512];
};

static void set_state(struct conn *conn, enum conn_state state)
{
	conn->state = state;
}

static struct prepared *prepared(struct conn *conn)
{
	return &conn->prepared[conn->kind][conn->shape];
}

static MYSQL_STMT *stmt(struct conn *conn)
{
	return prepared(conn)->stmt;
}

static void set_error(struct conn *conn, unsigned number, const char *text)
{
	conn->error_number = number;
	strncpy(conn->error_text, text, sizeof(conn->error_text) - 1);
}

/* ---- the steps of a statement ---- */

static int prepare_start(struct conn *conn)
{
	const char *sql = prepared(conn)->sql;

	return mysql_stmt_prepare_start(&conn->failed, stmt(conn), sql, strlen(sql));
}

static int prepare_cont(struct conn *conn, int ready)
{
	return mysql_stmt_prepare_cont(&conn->failed, stmt(conn), ready);
}

/*
 * Strings always: against a number, a string column would lose its index and
 * match far too much.
 */
static bool bind_values(struct conn *conn)
{
	const enum statement_param *params =
		statements[conn->kind].shapes[conn->shape].params;
	MYSQL_BIND binds[PARAMS_MAX];
	size_t count = 0;

	memset(binds, 0, sizeof(binds));
	for (; params[count] != PARAM_END; count++) {
		binds[count].buffer_type = MYSQL_TYPE_STRING;
		binds[count].buffer = conn->values[count];
		binds[count].buffer_length = strlen(conn->values[count]);
	}
	return mysql_stmt_param_count(stmt(conn)) == count &&
	       mysql_stmt_field_count(stmt(conn)) == statements[conn->kind].columns &&
	       mysql_stmt_bind_param(stmt(conn), binds) == 0;
}

static int execute_start(struct conn *conn)
{
	if (!bind_values(conn)) {
		conn->failed = 1;
		return 0;
	}
	return mysql_stmt_execute_start(&conn->failed, stmt(conn));
}

static int execute_cont(struct conn *conn, int ready)
{
	return mysql_stmt_execute_cont(&conn->failed, stmt(conn), ready);
}

/* The row phase has errors of its own: execute's success is not the answer. */
static int store_start(struct conn *conn)
{
	return mysql_stmt_store_result_start(&conn->failed, stmt(conn));
}

static int store_cont(struct conn *conn, int ready)
{
	return mysql_stmt_store_result_cont(&conn->failed, stmt(conn), ready);
}

/* A step returns 0 when it is done, else the events that it waits for. */
static const struct {
	int (*start)(struct conn *conn);
	int (*cont)(struct conn *conn, int ready);
	enum conn_state next;
} steps[] = {
	[CONN_PREPARING] = { prepare_start, prepare_cont, CONN_EXECUTING },
	[CONN_EXECUTING] = { execute_start, execute_cont, CONN_STORING },
	[CONN_STORING] = { store_start, store_cont, CONN_IDLE },
};

/*
 * OpenSSL's, if that is what libmariadb encrypts with; else NULL. A connection that
 * breaks leaves an error in the queue of this thread. libmariadb does not clear it,
 * and SSL_get_error() then calls every other connection broken that has to wait,
 * until the process ends.
 */
void ERR_clear_error(void) __attribute__((weak));

static void forget_tls_errors(void)
{
	if (ERR_clear_error != NULL)
		ERR_clear_error();
}

static int step_start(struct conn *conn)
{
	forget_tls_errors();
	return steps[conn->state].start(conn);
}

static int step_cont(struct conn *conn, int ready)
{
	forget_tls_errors();
	return steps[conn->state].cont(conn, ready);
}

/* ---- running ---- */

static void on_ready(unsigned events, void *arg);

static void wait_for(struct conn *conn, int want)
{
	unsigned events = MUM_READ | ((want & MYSQL_WAIT_WRITE) != 0 ? MUM_WRITE : 0);

	if (conn->watch != NULL && conn->watched == events)
		return;
	host_unwatch(conn->host, &conn->watch);
	conn->watched = events;
	conn->watch = conn->host->ops->watch(conn->host->ctx, conn->fd, events, on_ready,
					     conn);
}

static void drop_values(struct conn *conn)
{
	for (int i = 0; i < PARAMS_MAX; i++) {
		free(conn->values[i]);
		conn->values[i] = NULL;
	}
}

/* The statement or the connect is over; calls fn last. */
static void finish(struct conn *conn, enum conn_event event)
{
	host_untimer(conn->host, &conn->timer);
	drop_values(conn);
	if (event == CONN_LOST || event == CONN_LOST_IDLE) {
		host_unwatch(conn->host, &conn->watch);
		set_state(conn, CONN_DEAD);
	} else {
		set_state(conn, CONN_IDLE);
		wait_for(conn, MYSQL_WAIT_READ);
	}
	conn->fn(conn, event, conn->arg);
}

static void step_failed(struct conn *conn)
{
	unsigned number = mysql_stmt_errno(stmt(conn));
	enum error_class class;

	if (number == 0)
		set_error(conn, 2057, "the statement does not have the columns it should");
	else
		set_error(conn, number, mysql_stmt_error(stmt(conn)));
	class = conn_error(conn).class;
	finish(conn, class == ERROR_LOST || class == ERROR_OUTSIDE ? CONN_LOST
								   : CONN_FAILED);
}

/* Runs steps until one must wait for the socket. */
static void run(struct conn *conn, int want)
{
	while (want == 0) {
		if (conn->failed != 0) {
			step_failed(conn);
			return;
		}
		if (conn->state == CONN_PREPARING)
			prepared(conn)->done = true;
		set_state(conn, steps[conn->state].next);
		if (conn->state == CONN_IDLE && !session_sees_changes(conn->mysql)) {
			set_error(conn, ERROR_TRANSACTION, "the server began a transaction");
			finish(conn, CONN_LOST);
			return;
		}
		if (conn->state == CONN_IDLE) {
			finish(conn, CONN_RESULT);
			return;
		}
		want = step_start(conn);
	}
	wait_for(conn, want);
}

static void on_ready(unsigned events, void *arg)
{
	struct conn *conn = arg;
	int ready = ((events & MUM_READ) != 0 ? MYSQL_WAIT_READ : 0) |
		    ((events & MUM_WRITE) != 0 ? MYSQL_WAIT_WRITE : 0);

	if (conn->step_done)
		return;
	if (conn->state == CONN_IDLE) {
		/* Nothing was asked: the server closed, or says why it will. */
		set_error(conn, 2006, "closed by the server while idle");
		finish(conn, CONN_LOST_IDLE);
		return;
	}
	run(conn, step_cont(conn, ready));
}

/* The timeout of a statement or of the connect. */
static void on_timeout(void *arg)
{
	struct conn *conn = arg;

	conn->timer = NULL;
	connector_cancel(&conn->connector);
	conn->timed_out = true;
	set_error(conn, 2013, "no answer in time");
	finish(conn, CONN_LOST);
}

static void start_limit(struct conn *conn)
{
	conn->timer = conn->host->ops->timer(conn->host->ctx, conn->timeout_ms,
					     on_timeout, conn);
}

static void on_step_done(void *arg)
{
	struct conn *conn = arg;

	conn->step_done = false;
	start_limit(conn);
	run(conn, 0);
}

static void prepared_init(struct conn *conn)
{
	const char *template = statements[conn->kind].shapes[conn->shape].sql;

	prepared(conn)->stmt = xchecked(mysql_stmt_init(conn->mysql));
	prepared(conn)->sql = collations_fill(&conn->collations, template);
}

bool conn_binds_names(const struct conn *conn)
{
	return collations_are_utf8mb4(&conn->collations);
}

void conn_execute(struct conn *conn, enum question_kind kind,
		  enum statement_shape shape, char *values[PARAMS_MAX])
{
	int want;

	assert(conn->state == CONN_IDLE);
	conn->kind = kind;
	conn->shape = shape;
	memcpy(conn->values, values, sizeof(conn->values));
	conn->failed = 0;
	conn->cells.bound = false;
	if (stmt(conn) == NULL)
		prepared_init(conn);
	else
		mysql_stmt_free_result(stmt(conn));
	set_state(conn, prepared(conn)->done ? CONN_EXECUTING : CONN_PREPARING);
	want = step_start(conn);
	if (want != 0) {
		start_limit(conn);
		wait_for(conn, want);
		return;
	}
	/*
	 * On a unix socket a whole step may be over in its _start call, or have
	 * failed: what follows runs from the loop, as fn must.
	 */
	conn->step_done = true;
	conn->timer = conn->host->ops->timer(conn->host->ctx, 0, on_step_done, conn);
}

/* ---- results ---- */

int conn_fetch(struct conn *conn, struct column *columns)
{
	const unsigned count = statements[conn->kind].columns;
	int result = -1;

	if (cells_bind(&conn->cells, stmt(conn), count))
		result = cells_take(&conn->cells, stmt(conn), count,
				    mysql_stmt_fetch(stmt(conn)), columns);
	if (result < 0)
		set_error(conn, mysql_stmt_errno(stmt(conn)), mysql_stmt_error(stmt(conn)));
	return result;
}

struct conn_error conn_error(const struct conn *conn)
{
	enum error_class class = error_classify(conn->error_number, conn->mysql != NULL);

	return (struct conn_error){ class, conn->timed_out, conn->error_number,
				    conn->error_text };
}

/* ---- life ---- */

static void on_connected(MYSQL *mysql, const struct collations *collations, unsigned number,
			 const char *text, void *arg)
{
	struct conn *conn = arg;

	conn->connector = NULL;
	conn->mysql = mysql;
	conn->collations = *collations;
	if (mysql == NULL) {
		set_error(conn, number, text);
		finish(conn, CONN_LOST);
		return;
	}
	/*
	 * libmariadb closes its socket inside a call that fails. A watch must
	 * not outlive its descriptor, so ours has one of its own.
	 */
	conn->fd = fcntl(mysql_get_socket(mysql), F_DUPFD_CLOEXEC, 0);
	if (conn->fd < 0) {
		set_error(conn, 2000, strerror(errno));
		finish(conn, CONN_LOST);
		return;
	}
	finish(conn, CONN_UP);
}

struct conn *conn_new(const struct mum_host *host,
		      const struct connector_settings *settings, conn_event_fn *fn,
		      void *arg)
{
	struct conn *conn = xcalloc(1, sizeof(*conn));

	conn->host = host;
	conn->timeout_ms = settings->timeout_ms;
	conn->fn = fn;
	conn->arg = arg;
	conn->fd = -1;
	set_state(conn, CONN_CONNECTING);
	conn->connector = connector_start(host, settings, on_connected, conn);
	if (conn->connector == NULL) {
		conn_free(&conn);
		return NULL;
	}
	start_limit(conn);
	return conn;
}

void conn_free(struct conn **_conn)
{
	struct conn *conn = *_conn;

	*_conn = NULL;
	if (conn == NULL)
		return;
	connector_cancel(&conn->connector);
	host_untimer(conn->host, &conn->timer);
	host_unwatch(conn->host, &conn->watch);
	/* In this order: a statement of an open connection would write to it. */
	if (conn->mysql != NULL)
		mysql_close(conn->mysql);
	if (conn->fd >= 0)
		close(conn->fd);
	for (int i = 0; i < MUM_QUESTIONS; i++) {
		for (int shape = 0; shape < STATEMENT_SHAPES; shape++) {
			if (conn->prepared[i][shape].stmt != NULL)
				mysql_stmt_close(conn->prepared[i][shape].stmt);
			free(conn->prepared[i][shape].sql);
		}
	}
	drop_values(conn);
	cells_free(&conn->cells);
	free(conn);
}
