/* SPDX-License-Identifier: MIT */
/*
 * The SQLite store. SQLite is a library, not a server: its answers come from local
 * memory and disk, in the loop. A timer waits for a writer's lock, not the loop.
 */
#include "common/store.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/buf.h"
#include "common/columns.h"
#include "common/config.h"
#include "common/name-pairs.h"
#include "common/stats.h"
#include "common/store-log.h"
#include "common/store-queue.h"
#include "common/store-sqlite/statements.h"
#include "common/timezone.h"
#include "common/xalloc.h"

enum {
	PER_TICK = 64,		/* questions in one turn of the loop */
	RETRY_BUSY = 10,	/* ms until a locked database is read again */
	LOCK_PATIENCE = 250,	/* ms; a lock that lasts longer is logged */
	RETRY_OPEN = 250	/* ms until a file that cannot be read is tried again */
};

struct sqlite_store {
	struct store store;	/* first: the store_ops cast to sqlite_store */
	const struct mum_host *host;
	const char *path;
	struct mum_host_stats *stats;
	struct timezone_table *timezone;
	sqlite3 *db;		/* NULL until it could be opened */
	dev_t device;		/* of the open file, to see when it is replaced */
	ino_t inode;
	sqlite3_stmt *stmts[MUM_QUESTIONS];
	struct queue queue;
	struct mum_timer *timer;
	uint64_t locked_since;	/* host_now(); 0: no writer holds a lock */
	unsigned lock_patience;	/* ms */
	struct store_log log;
};

/* ---- functions of ours in SQL ---- */

typedef char *fold_fn(const char *text, size_t len);

static void fold_value(sqlite3_context *context, int count, sqlite3_value **values)
{
	fold_fn *fold = (fold_fn *)sqlite3_user_data(context);
	const char *text = (const char *)sqlite3_value_text(values[0]);

	(void)count;
	if (text == NULL) {
		sqlite3_result_null(context);
		return;
	}
	sqlite3_result_text(context,
			    fold(text, (size_t)sqlite3_value_bytes(values[0])), -1, free);
}

static bool add_functions(sqlite3 *db)
{
	const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC;

	return sqlite3_create_function_v2(db, "mum_fold_local", 1, flags,
					  (void *)address_fold_local, fold_value, NULL,
					  NULL, NULL) == SQLITE_OK &&
	       sqlite3_create_function_v2(db, "mum_fold_domain", 1, flags,
					  (void *)address_fold_domain, fold_value, NULL,
					  NULL, NULL) == SQLITE_OK;
}

/* ---- the file ---- */

static void close_file(struct sqlite_store *store)
{
	for (int i = 0; i < MUM_QUESTIONS; i++) {
		sqlite3_finalize(store->stmts[i]);
		store->stmts[i] = NULL;
	}
	sqlite3_close(store->db);
	store->db = NULL;
	store->stats->connections[MUM_IDLE] = 0;
}

static void went_down(struct sqlite_store *store, const char *why)
{
	if (store->store.up)
		host_log(store->host, MUM_LOG_ERROR,
			 "database %s: %s; trying again until it can be read",
			 store->path, why);
	store->stats->errors[ERROR_LOST]++;
	store->store.up = false;
}

static void came_up(struct sqlite_store *store)
{
	if (!store->store.up)
		host_log(store->host, MUM_LOG_INFO, "database %s: can be read again",
			 store->path);
	store->store.up = true;
	store->locked_since = 0;
}

/*
 * Each write of MUM locks the file for a moment. A lock that lasts is an outage like
 * others: logged once, and stale facts are answers. Returns as answer_first() does.
 */
static unsigned wait_for_lock(struct sqlite_store *store)
{
	uint64_t now = host_now(store->host);

	if (store->locked_since == 0)
		store->locked_since = now;
	if (store->store.up && now - store->locked_since >= store->lock_patience) {
		host_log(store->host, MUM_LOG_ERROR,
			 "database %s: a writer keeps it locked; trying again until it can "
			 "be read", store->path);
		store->stats->errors[ERROR_SLOW]++;
		store->store.up = false;
	}
	return RETRY_BUSY;
}

/*
 * SQLite would rather make an index of a whole table for one statement than search both
 * of the indexes that a name needs (statements.c).
 */
static bool set_planner(sqlite3 *db)
{
	return sqlite3_exec(db, "PRAGMA automatic_index = OFF", NULL, NULL, NULL) == SQLITE_OK;
}

/* Opens the file; again when another file took its place. */
static bool open_file(struct sqlite_store *store)
{
	struct stat status;

	if (stat(store->path, &status) < 0)
		memset(&status, 0, sizeof(status));
	if (store->db != NULL && status.st_ino == store->inode &&
	    status.st_dev == store->device)
		return true;
	close_file(store);
	if (sqlite3_open_v2(store->path, &store->db,
			    SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
	    !add_functions(store->db) || !set_planner(store->db)) {
		went_down(store, store->db != NULL ? sqlite3_errmsg(store->db)
						   : "out of memory");
		close_file(store);
		return false;
	}
	store->device = status.st_dev;
	store->inode = status.st_ino;
	store->stats->connections[MUM_IDLE] = 1;
	store->stats->connects++;
	return true;
}

/* ---- one question ---- */

static char *pairs_json(const struct address *address)
{
	struct buf json = BUF_INIT(PAIRS_JSON_MAX);

	buf_puts(&json, "[");
	pairs_put_json(&json, address);
	buf_puts(&json, "]");
	return buf_steal(&json);
}

static int prepare(struct sqlite_store *store, enum question_kind kind)
{
	if (store->stmts[kind] != NULL)
		return SQLITE_OK;
	return sqlite3_prepare_v3(store->db, sqlite_statements[kind].sql, -1,
				  SQLITE_PREPARE_PERSISTENT, &store->stmts[kind], NULL);
}

/* Ignores SQLITE_RANGE: not every statement has all parameters. */
static void bind_values(struct sqlite_store *store, const struct question *question)
{
	sqlite3_stmt *stmt = store->stmts[question->kind];
	char now[TIMEZONE_TEXT_SIZE];

	if (question->address != NULL)
		sqlite3_bind_text(stmt, 1, pairs_json(question->address), -1, free);
	else
		sqlite3_bind_int64(stmt, 3, (sqlite3_int64)question->after_id);
	timezone_format(store->timezone, store->host->ops->wall(store->host->ctx), now);
	sqlite3_bind_text(stmt, 2, now, -1, SQLITE_TRANSIENT);
}

/* False when the row, and so the answer, is of no use. */
static bool add_row(struct store_request *request, sqlite3_stmt *stmt)
{
	struct column columns[COLUMNS_MAX + 1];
	const struct address *address = request->question.address;
	int count = sqlite_statements[request->question.kind].columns;
	size_t form = 0;

	for (int i = 0; i < count; i++) {
		columns[i].data = (const char *)sqlite3_column_text(stmt, i);
		columns[i].len = (size_t)sqlite3_column_bytes(stmt, i);
	}
	if (address != NULL)
		form = pairs_form(address, (size_t)sqlite3_column_int(stmt, COLUMN_PAIR) - 1);
	return facts_add_row(request->facts, address, form, columns, &request->bad_row);
}

/* SQLITE_DONE: the rows are there, or one of them is bad. */
static int read_rows(struct sqlite_store *store, struct store_request *request)
{
	sqlite3_stmt *stmt;
	int result = prepare(store, request->question.kind);

	if (result != SQLITE_OK)
		return result;
	stmt = store->stmts[request->question.kind];
	bind_values(store, &request->question);
	request_begin(request);
	while ((result = sqlite3_step(stmt)) == SQLITE_ROW) {
		if (!add_row(request, stmt)) {
			result = SQLITE_DONE;
			break;
		}
	}
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return result;
}

/* ---- answers ---- */

static void answer_rows(struct sqlite_store *store, struct store_request *request)
{
	came_up(store);
	store_log_answered(&store->log, request->question.kind);
	store_log_bad_row(&store->log, request);
	request_finish_rows(request);
	request_answer(request);
}

static void answer_misconfigured(struct sqlite_store *store,
				 struct store_request *request)
{
	enum question_kind kind = request->question.kind;
	const char *reason = sqlite3_errmsg(store->db);

	store_log_broken(&store->log, MUM_LOG_ERROR, kind,
			 "database %s: question=%s: %s; mail is deferred until the tables "
			 "are as conf-examples/schema-sqlite.sql says",
			 store->path, mum_question_name(kind), reason);
	store->stats->errors[ERROR_MISCONFIGURED]++;
	request_finish(request, MUM_MISCONFIGURED, reason);
	request_answer(request);
}

/* Answers the first question; 0, or the ms after which to try it again. */
static unsigned answer_first(struct sqlite_store *store)
{
	struct store_request *request = store->queue.head;

	switch (read_rows(store, request) & 0xff) {
	case SQLITE_DONE:
		answer_rows(store, request);
		return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return wait_for_lock(store);
	case SQLITE_ERROR:
		answer_misconfigured(store, request);
		return 0;
	default:
		went_down(store, sqlite3_errmsg(store->db));
		close_file(store);
		return RETRY_OPEN;
	}
}

/*
 * Finds out that the file can be read again when no question does: while the store is
 * down, known names come from the cache. Returns as answer_first() does.
 */
static unsigned try_table(struct sqlite_store *store)
{
	int result = sqlite3_exec(store->db, "SELECT id FROM domains LIMIT 1", NULL, NULL,
				  NULL) & 0xff;

	if (result == SQLITE_OK) {
		came_up(store);
		return 0;
	}
	if (result == SQLITE_BUSY)
		return wait_for_lock(store);
	went_down(store, sqlite3_errmsg(store->db));
	close_file(store);
	return RETRY_OPEN;
}

static void on_timer(void *arg);

static void work_in(struct sqlite_store *store, unsigned ms)
{
	if (store->timer == NULL)
		store->timer = store->host->ops->timer(store->host->ctx, ms, on_timer, store);
}

/* A read transaction for the whole turn: most of a lookup's cost is opening one. */
static void on_timer(void *arg)
{
	struct sqlite_store *store = arg;
	unsigned wait_ms = 0;

	store->timer = NULL;
	if (!open_file(store)) {
		work_in(store, RETRY_OPEN);
		return;
	}
	sqlite3_exec(store->db, "BEGIN", NULL, NULL, NULL);
	for (int i = 0; i < PER_TICK && wait_ms == 0 && store->queue.head != NULL; i++)
		wait_ms = answer_first(store);
	if (store->queue.head == NULL && !store->store.up)
		wait_ms = try_table(store);
	if (store->db != NULL)
		sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
	if (store->queue.head != NULL || !store->store.up)
		work_in(store, wait_ms);
	else
		store->locked_since = 0;	/* nobody looks whether it still is */
}

/* ---- store.h ---- */

static struct store_request *sqlite_submit(struct store *base,
					   const struct question *question,
					   store_done_fn *fn, void *arg)
{
	struct sqlite_store *store = (struct sqlite_store *)base;
	struct store_request *request = request_new(question, fn, arg);

	queue_put(&store->queue, request, false);
	work_in(store, 0);
	return request;
}

static void sqlite_withdraw(struct store *base, struct store_request *request)
{
	(void)base;
	request_free(request);
}

static void sqlite_close_store(struct store *base)
{
	struct sqlite_store *store = (struct sqlite_store *)base;

	host_untimer(store->host, &store->timer);
	close_file(store);
	timezone_free(&store->timezone);
	free(store);
}

static const struct store_ops sqlite_ops = {
	.submit = sqlite_submit,
	.withdraw = sqlite_withdraw,
	.close = sqlite_close_store,
};

struct store *store_sqlite_open(const struct mum_host *host,
				const struct mum_config *config,
				struct mum_host_stats *stats)
{
	struct sqlite_store *store = xcalloc(1, sizeof(*store));

	store->store.ops = &sqlite_ops;
	store->host = host;
	store->path = config->database.path;
	store->stats = stats;
	store->timezone = timezone_new(config->mum.timezone, host->ops->wall(host->ctx));
	store->lock_patience = config->database.deadline / 2 < LOCK_PATIENCE
				       ? config->database.deadline / 2 : LOCK_PATIENCE;
	store->log.host = host;
	store->store.up = true;
	return &store->store;
}
