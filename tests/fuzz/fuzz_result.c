/* SPDX-License-Identifier: MIT */
/*
 * What libmariadb hands out: sessions, collations, columns, rows and errors of any kind, up to
 * the columns of a row. fuzz_facts takes it from there.
 */
#include "common/store-mariadb/conn.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "tests/fakes/fake-host.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mariadb.h"

enum { STATEMENTS = 4, TIMEOUT = 1000, TURNS_MAX = 1000 };

struct world {
	struct fake_host host;
	struct conn *conn;
	enum question_kind kind;
	bool running;
	size_t statements, events;
};

/* Each cell is what the server sent, with a NUL behind it. */
static void check_row(const struct column *columns, unsigned count)
{
	HOLDS(count == mariadb.columns);
	for (unsigned i = 0; i < count; i++) {
		const struct column *sent = &mariadb.row[i];

		HOLDS((columns[i].data == NULL) == (sent->data == NULL));
		if (sent->data == NULL)
			continue;
		HOLDS(columns[i].len == sent->len);
		HOLDS(memcmp(columns[i].data, sent->data, sent->len + 1) == 0);
	}
}

/* Rows come to an end only where the server ended them. */
static void read_rows(struct world *world)
{
	struct column columns[MARIADB_CELLS];
	int result;

	HOLDS(mariadb.whole && mariadb.columns == statements[world->kind].columns);
	while ((result = conn_fetch(world->conn, columns)) > 0) {
		fuzz_reached();
		check_row(columns, statements[world->kind].columns);
	}
	HOLDS(result == 0 ? mariadb.ended : mariadb.failed);
	if (result < 0)
		HOLDS(conn_error(world->conn).number != 0);
}

static void execute(struct world *world)
{
	unsigned choice = feed_byte(mariadb.feed);
	char *values[PARAMS_MAX] = { NULL };
	enum statement_shape shape = SHAPE_MANY;

	world->kind = (enum question_kind)(choice % MUM_QUESTIONS);
	if (choice >= 128 && statements[world->kind].shapes[SHAPE_ONE].sql != NULL &&
	    conn_binds_names(world->conn))
		shape = SHAPE_ONE;
	for (int i = 0; statements[world->kind].shapes[shape].params[i] != PARAM_END; i++)
		values[i] = xstrdup("[[\"anna\", \"example.org\"]]");
	mariadb.columns_wanted = statements[world->kind].columns;
	mariadb.whole = true;
	world->running = true;
	world->statements++;
	conn_execute(world->conn, world->kind, shape, values);
}

static void on_event(struct conn *conn, enum conn_event event, void *arg)
{
	struct world *world = arg;

	world->events++;
	HOLDS(conn == world->conn);
	if (event == CONN_RESULT)
		read_rows(world);
	if (event == CONN_LOST || event == CONN_FAILED)
		HOLDS(conn_error(conn).number != 0 && *conn_error(conn).text != '\0');
	HOLDS(event == CONN_LOST || world->running == (event == CONN_RESULT ||
						       event == CONN_FAILED));
	world->running = false;
	if (event == CONN_LOST || event == CONN_LOST_IDLE)
		conn_free(&world->conn);
	else if (world->statements < STATEMENTS && mariadb.feed->size > 0)
		execute(world);
}

/* The socket is ready, or nothing comes until it is too late. */
static void wait_for_server(struct world *world)
{
	unsigned byte = feed_byte(mariadb.feed);

	if (byte >= 250 || !fake_host_ready(&world->host, fake_host_watched(&world->host),
					    byte % 2 == 0 ? MUM_READ : MUM_READ | MUM_WRITE))
		fake_host_advance(&world->host, TIMEOUT);
}

static void run(struct world *world)
{
	size_t turns = 0;

	fake_host_settle(&world->host, TURNS_MAX);
	while (world->running && turns++ < TURNS_MAX) {
		wait_for_server(world);
		fake_host_settle(&world->host, TURNS_MAX);
	}
	/* Each statement, and the connect, comes to one end. */
	HOLDS(!world->running && world->events == world->statements + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct connector_settings settings = { .host = "h", .timeout_ms = TIMEOUT };
	struct feed feed = { data, size };
	struct world world = { .running = false };

	mariadb_init(&feed);
	mariadb.checks_session = feed_byte(&feed) % 2 == 1;
	fake_host_init(&world.host);
	world.conn = conn_new(&world.host.host, &settings, on_event, &world);
	run(&world);
	/* The server closes while nothing is asked. */
	if (world.conn != NULL && fake_host_ready(&world.host, fake_host_watched(&world.host),
						  MUM_READ))
		HOLDS(world.conn == NULL);
	conn_free(&world.conn);
	HOLDS(fake_host_timers(&world.host) == 0 && fake_host_watches(&world.host) == 0);
	mariadb_end();
	fake_host_free(&world.host);
	return 0;
}
