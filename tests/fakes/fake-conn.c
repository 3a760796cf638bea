/* SPDX-License-Identifier: MIT */
#include "tests/fakes/fake-conn.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/xalloc.h"

static struct fake_conns *list;

void fake_conns_use(struct fake_conns *conns)
{
	list = conns;
}

static bool is_living(const struct conn *conn)
{
	const struct conn *one;

	DL_FOREACH(list->conns, one) {
		if (one == conn)
			return true;
	}
	return false;
}

/* Who uses a connection that is gone, or one that does something else, is wrong. */
static void check(const struct conn *conn, bool may)
{
	if (!is_living(conn) || !may)
		abort();
}

/* ---- the statement under way ---- */

static void statement_end(struct conn *conn)
{
	host_untimer(conn->host, &conn->timer);
	for (int i = 0; i < PARAMS_MAX; i++) {
		free(conn->values[i]);
		conn->values[i] = NULL;
	}
	conn->rows = NULL;
}

static void end(struct conn *conn, enum conn_event event)
{
	bool lost = event == CONN_LOST || event == CONN_LOST_IDLE;

	statement_end(conn);
	conn->state = lost ? FAKE_CONN_DEAD : FAKE_CONN_IDLE;
	conn->fn(conn, event, conn->arg);
}

static void on_timeout(void *arg)
{
	struct conn *conn = arg;

	conn->timer = NULL;
	conn->timed_out = true;
	conn->error_number = 2013;
	conn->error_text = "no answer in time";
	end(conn, CONN_LOST);
}

static void start_limit(struct conn *conn)
{
	conn->timer = conn->host->ops->timer(conn->host->ctx, conn->timeout_ms, on_timeout,
					     conn);
}

/* ---- conn.h ---- */

struct conn *conn_new(const struct mum_host *host,
		      const struct connector_settings *settings, conn_event_fn *fn, void *arg)
{
	struct conn *conn;

	if (list->no_thread)
		return NULL;
	conn = xcalloc(1, sizeof(*conn));
	conn->number = list->made++;
	conn->host = host;
	conn->host_name = settings->host;
	conn->timeout_ms = settings->timeout_ms;
	conn->fn = fn;
	conn->arg = arg;
	conn->error_text = "";
	start_limit(conn);
	DL_APPEND(list->conns, conn);
	return conn;
}

void conn_free(struct conn **_conn)
{
	struct conn *conn = *_conn;

	*_conn = NULL;
	if (conn == NULL)
		return;
	check(conn, true);
	statement_end(conn);
	DL_DELETE(list->conns, conn);
	free(conn);
}

bool conn_binds_names(const struct conn *conn)
{
	check(conn, conn->state != FAKE_CONN_DEAD);
	return list->binds_names;
}

void conn_execute(struct conn *conn, enum question_kind kind,
		  enum statement_shape shape, char *values[PARAMS_MAX])
{
	check(conn, conn->state == FAKE_CONN_IDLE && statements[kind].shapes[shape].sql != NULL);
	statement_end(conn);
	conn->state = FAKE_CONN_BUSY;
	conn->kind = kind;
	conn->shape = shape;
	memcpy(conn->values, values, sizeof(conn->values));
	start_limit(conn);
}

int conn_fetch(struct conn *conn, struct column *columns)
{
	check(conn, conn->rows != NULL);
	if (conn->rows_read == conn->rows_good) {
		conn->error_number = 2027;
		conn->error_text = "malformed packet";
		return -1;
	}
	return conn->rows(conn, conn->rows_read++, columns, conn->rows_arg);
}

struct conn_error conn_error(const struct conn *conn)
{
	return (struct conn_error){ error_classify(conn->error_number, conn->connected),
				    conn->timed_out, conn->error_number, conn->error_text };
}

/* ---- the test's side ---- */

void fake_conn_connect(struct conn *conn)
{
	check(conn, conn->state == FAKE_CONN_CONNECTING);
	conn->connected = true;
	end(conn, CONN_UP);
}

/* The rows, and what was asked, stay until the owner has read them. */
void fake_conn_result(struct conn *conn, fake_row_fn *fn, void *arg, size_t good)
{
	check(conn, conn->state == FAKE_CONN_BUSY);
	host_untimer(conn->host, &conn->timer);
	conn->state = FAKE_CONN_IDLE;
	conn->rows = fn;
	conn->rows_arg = arg;
	conn->rows_read = 0;
	conn->rows_good = good;
	conn->fn(conn, CONN_RESULT, conn->arg);
	if (is_living(conn) && conn->state == FAKE_CONN_IDLE)
		statement_end(conn);
}

void fake_conn_error(struct conn *conn, unsigned number, const char *text)
{
	enum conn_event event = CONN_LOST;
	enum error_class class;

	check(conn, conn->state != FAKE_CONN_DEAD);
	conn->error_number = number;
	conn->error_text = text;
	class = conn_error(conn).class;
	if (conn->state == FAKE_CONN_IDLE)
		event = CONN_LOST_IDLE;
	else if (conn->state == FAKE_CONN_BUSY && class != ERROR_LOST && class != ERROR_OUTSIDE)
		event = CONN_FAILED;
	end(conn, event);
}
