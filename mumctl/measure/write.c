/* SPDX-License-Identifier: MIT */
#include "mumctl/measure/write.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/buf.h"

enum {
	ROWS_AT_ONCE = 1000,
	ROW_SIZE_MAX = 256	/* bytes of SQL for one row */
};

/*
 * MUM's morph types, App\Mailbox and App\Domain. What a backslash means in a text depends
 * on sql_mode, so they are spelled in digits; this CAST gives a text in both databases.
 * All else from outside is numbers, so no value needs to be bound.
 */
static const char *const types[] = {
	[MEASURED_MAILBOX] = "CAST(X'4170705C4D61696C626F78' AS CHAR)",
	[MEASURED_DOMAIN] = "CAST(X'4170705C446F6D61696E' AS CHAR)",
	[MEASURED_WHOLE] = "NULL",
};

#define INSERT_SQL \
	"INSERT INTO size_measurements" \
	" (measurable_id, measurable_type, size, created_at, updated_at) VALUES "

struct writer {
	struct inspect *db;
	const char *now;
	struct buf sql;
	size_t rows;			/* in sql */
	bool good;
	struct inspect_error *error;
};

static void run(struct writer *writer, const char *sql)
{
	writer->good = writer->good && inspect_query(writer->db, sql, NULL, NULL, writer->error);
}

static void flush(struct writer *writer)
{
	char *sql;

	if (writer->rows == 0)
		return;
	sql = buf_steal(&writer->sql);
	run(writer, sql);
	free(sql);
	writer->rows = 0;
}

static void put_row(enum measured what, uint64_t id, uint64_t kib, void *arg)
{
	struct writer *writer = arg;

	if (writer->rows == ROWS_AT_ONCE)
		flush(writer);
	if (!writer->good)
		return;
	buf_puts(&writer->sql, writer->rows == 0 ? INSERT_SQL "(" : ", (");
	if (what == MEASURED_WHOLE)
		buf_puts(&writer->sql, "NULL");
	else
		buf_printf(&writer->sql, "%" PRIu64, id);
	buf_printf(&writer->sql, ", %s, %" PRIu64 ", '%s', '%s')", types[what], kib, writer->now,
		   writer->now);
	writer->rows++;
}

/* *tried_r: COMMIT was tried. If it failed, nobody knows whether the rows are there. */
static bool write_to(struct writer *writer, const struct measure_set *set, bool *tried_r)
{
	writer->good = true;
	run(writer, "BEGIN");
	measure_set_each_row(set, put_row, writer);
	flush(writer);
	*tried_r = writer->good;
	run(writer, "COMMIT");
	return writer->good;
}

/* A replica refuses to write, so this tries the next host. */
bool measure_write(const struct measure_set *set, const struct mum_config *config,
		   const char *now, struct inspect_error *error_r)
{
	struct writer writer = { .now = now, .error = error_r,
				 .sql = BUF_INIT(ROWS_AT_ONCE * ROW_SIZE_MAX) };
	bool done = false, tried = false;

	for (size_t i = 0; i < inspect_hosts(config) && !done && !tried; i++) {
		writer.db = inspect_open_writer(config, i, error_r);
		if (writer.db != NULL)
			done = write_to(&writer, set, &tried);
		inspect_close(&writer.db);
	}
	buf_free(&writer.sql);
	return done;
}
