/* SPDX-License-Identifier: MIT */
/*
 * The SQLite store, and the only <sqlite3.h>. SQLite is a library, not a
 * server: its answers come from local memory and disk, in the loop. A writer's
 * lock is waited for with a timer, not in the loop.
 */
#include "common/store.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <utlist.h>

#include "common/buf.h"
#include "common/columns.h"
#include "common/config.h"
#include "common/log-text.h"
#include "common/pairs.h"
#include "common/stats.h"
#include "common/timezone.h"
#include "common/xalloc.h"

enum {
	PER_TICK = 64,		/* questions in one turn of the loop */
	RETRY_BUSY = 10,	/* ms until a locked database is read again */
	LOCK_PATIENCE = 250,	/* ms; a writer that holds its lock longer is told of */
	RETRY_OPEN = 250	/* ms until a file that cannot be read is tried again */
};

struct store_request {
	struct question question;
	store_done_fn *fn;
	void *arg;
	struct store_request *prev, *next;
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
	struct store_request *queue;
	struct mum_timer *timer;
	uint64_t locked_since;	/* host_now(); 0: no writer holds a lock */
	unsigned lock_patience;	/* ms */
	bool up;
	bool broken[MUM_QUESTIONS];	/* statements logged as misconfigured */
};

/* ---- statements ---- */

/*
 * MUM's collation on MariaDB ignores case; SQLite's columns compare bytes. So
 * candidates come through an index for ASCII case, and where a stored name is
 * not ASCII, through the folding of address.c. See conf-examples/schema-sqlite.sql.
 */
#define PAIRS \
	"WITH k(i, u, d) AS MATERIALIZED (SELECT key + 1, json_extract(value, '$[0]')," \
	" json_extract(value, '$[1]') FROM json_each(?1)) "

#define IS_UNICODE(column) "length(" column ") <> length(CAST(" column " AS BLOB))"

#define SAME_DOMAIN(column) \
	"(" column " = k.d COLLATE NOCASE OR (" IS_UNICODE(column) \
	" AND mum_fold_domain(" column ") = k.d)) "

#define SAME_LOCAL(table) \
	"((" table ".domain_id = d.id AND " table ".local_part = k.u COLLATE NOCASE) OR (" \
	table ".domain_id = d.id AND " IS_UNICODE(table ".local_part") \
	" AND mum_fold_local(" table ".local_part) = k.u)) "

#define JOIN_DOMAIN "CROSS JOIN domains d ON " SAME_DOMAIN("d.domain")
#define JOIN_MAILBOX JOIN_DOMAIN "CROSS JOIN mailboxes m ON " SAME_LOCAL("m")

#define MAILBOX "k.i, m.local_part, d.domain, d.active, m.active, m.send_only"

static const struct {
	const char *sql;	/* ?1: pairs, ?2: now, ?3: id before the page */
	int columns;
} statements[MUM_QUESTIONS] = {
	[MUM_DOMAIN] = {
		PAIRS "SELECT k.i, d.domain, d.active FROM k " JOIN_DOMAIN,
		DOMAIN_COLUMNS
	},
	/* "Past" as in MUM's aliases:deactivate: strictly before now. */
	[MUM_DELIVERY] = {
		PAIRS "SELECT k.i, d.domain, d.active, m.local_part, m.active, m.send_only,"
		" a.local_part, a.active, a.deactivate_at < ?2, r.id,"
		" r.recipient_address, r.mailbox_id, rm.local_part, rd.domain,"
		" rm.active, rd.active, rm.send_only"
		" FROM k " JOIN_DOMAIN
		"LEFT JOIN mailboxes m ON " SAME_LOCAL("m")
		"LEFT JOIN aliases a ON " SAME_LOCAL("a")
		"LEFT JOIN alias_recipients r ON r.alias_id = a.id "
		"LEFT JOIN mailboxes rm ON rm.id = r.mailbox_id "
		"LEFT JOIN domains rd ON rd.id = rm.domain_id "
		"WHERE m.id IS NOT NULL OR a.id IS NOT NULL",
		DELIVERY_COLUMNS
	},
	/* A row for each name in a domain of MUM's, though nothing has that name. */
	[MUM_NAME] = {
		PAIRS "SELECT k.i, d.domain, d.active, m.local_part, m.active, m.send_only,"
		" a.local_part, a.active, a.deactivate_at < ?2,"
		" EXISTS (SELECT 1 FROM alias_recipients r WHERE r.alias_id = a.id"
		" AND (r.mailbox_id IS NOT NULL OR " RECIPIENT_IS_TEXT("r.recipient_address") "))"
		" FROM k " JOIN_DOMAIN
		"LEFT JOIN mailboxes m ON " SAME_LOCAL("m")
		"LEFT JOIN aliases a ON " SAME_LOCAL("a"),
		NAME_COLUMNS
	},
	[MUM_OWNERS] = {
		PAIRS "SELECT k.i, m.local_part, d.domain, d.active, 0, 0, 0,"
		" m.local_part, d.domain, m.active, d.active FROM k " JOIN_MAILBOX
		"UNION ALL "
		"SELECT k.i, a.local_part, d.domain, d.active, s.id, a.active,"
		" a.deactivate_at < ?2, o.local_part, od.domain, o.active, od.active"
		" FROM k " JOIN_DOMAIN
		"CROSS JOIN aliases a ON " SAME_LOCAL("a")
		"CROSS JOIN alias_senders s ON s.alias_id = a.id "
		"CROSS JOIN mailboxes o ON o.id = s.mailbox_id "
		"CROSS JOIN domains od ON od.id = o.domain_id",
		OWNER_COLUMNS
	},
	[MUM_TLS] = {
		PAIRS "SELECT k.i, t.domain, t.policy, t.params, t.active FROM k "
		"CROSS JOIN tls_policies t ON " SAME_DOMAIN("t.domain"),
		TLS_COLUMNS
	},
	[MUM_CREDENTIAL] = {
		PAIRS "SELECT " MAILBOX ", m.password FROM k " JOIN_MAILBOX,
		CREDENTIAL_COLUMNS
	},
	[MUM_USER] = {
		PAIRS "SELECT " MAILBOX ", m.homedir, m.maildir,"
		" m.quota, d.quota FROM k " JOIN_MAILBOX,
		USER_COLUMNS
	},
	[MUM_USERS] = {
		"SELECT 1, m.local_part, d.domain, d.active, m.active, m.send_only, m.id"
		" FROM mailboxes m CROSS JOIN domains d ON d.id = m.domain_id"
		" WHERE m.id > CAST(?3 AS INTEGER) ORDER BY m.id LIMIT 1000",
		LISTED_COLUMNS
	},
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
	if (store->up)
		host_log(store->host, MUM_LOG_ERROR,
			 "database %s: %s; trying again until it can be read",
			 store->path, why);
	store->stats->errors[ERROR_LOST]++;
	store->up = false;
}

static void came_up(struct sqlite_store *store)
{
	if (!store->up)
		host_log(store->host, MUM_LOG_INFO, "database %s: can be read again",
			 store->path);
	store->up = true;
	store->locked_since = 0;
}

/*
 * Each write of MUM locks the file for a moment. A lock that lasts is an outage as any
 * other: told once, and what is stale is an answer. Returns as answer_first() does.
 */
static unsigned wait_for_lock(struct sqlite_store *store)
{
	uint64_t now = host_now(store->host);

	if (store->locked_since == 0)
		store->locked_since = now;
	if (store->up && now - store->locked_since >= store->lock_patience) {
		host_log(store->host, MUM_LOG_ERROR,
			 "database %s: a writer keeps it locked; trying again until it can "
			 "be read", store->path);
		store->stats->errors[ERROR_SLOW]++;
		store->up = false;
	}
	return RETRY_BUSY;
}

/* Opens the file, or once more when another one took its place. */
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
	    !add_functions(store->db)) {
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

static int prepare(struct sqlite_store *store, enum mum_question kind)
{
	if (store->stmts[kind] != NULL)
		return SQLITE_OK;
	return sqlite3_prepare_v3(store->db, statements[kind].sql, -1,
				  SQLITE_PREPARE_PERSISTENT, &store->stmts[kind], NULL);
}

/* Parameters that the statement does not have are passed over (SQLITE_RANGE). */
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

static bool add_row(struct facts *facts, const struct question *question,
		    sqlite3_stmt *stmt, const char **why)
{
	struct column columns[COLUMNS_MAX + 1];
	const struct address *address = question->address;
	int count = statements[question->kind].columns;
	size_t form = 0;

	for (int i = 0; i < count; i++) {
		columns[i].data = (const char *)sqlite3_column_text(stmt, i);
		columns[i].len = (size_t)sqlite3_column_bytes(stmt, i);
	}
	if (address != NULL)
		form = pairs_form(address, (size_t)sqlite3_column_int(stmt, COLUMN_PAIR) - 1);
	return facts_add_row(facts, address, form, columns, why);
}

/* SQLITE_DONE: facts are complete, unless *why says that a row is bad. */
static int read_facts(struct sqlite_store *store, const struct question *question,
		      struct facts *facts, const char **why)
{
	sqlite3_stmt *stmt;
	int result = prepare(store, question->kind);

	if (result != SQLITE_OK)
		return result;
	stmt = store->stmts[question->kind];
	bind_values(store, question);
	while ((result = sqlite3_step(stmt)) == SQLITE_ROW) {
		if (!add_row(facts, question, stmt, why)) {
			result = SQLITE_DONE;
			break;
		}
	}
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	return result;
}

/* ---- requests ---- */

static void request_free(struct sqlite_store *store, struct store_request *request)
{
	DL_DELETE(store->queue, request);
	address_unref(&request->question.address);
	free(request);
}

/* Free first, call last. */
static void request_answer(struct sqlite_store *store, struct store_request *request,
			   enum mum_status status, struct facts *facts,
			   const char *reason)
{
	store_done_fn *fn = request->fn;
	void *arg = request->arg;

	request_free(store, request);
	fn(status, facts, reason, arg);
}

static void answer_facts(struct sqlite_store *store, struct store_request *request,
			 struct facts *facts, const char *why)
{
	enum mum_question kind = request->question.kind;

	facts_complete(facts);
	came_up(store);
	if (store->broken[kind])
		host_log(store->host, MUM_LOG_INFO, "database: question=%s: answered again",
			 mum_question_name(kind));
	store->broken[kind] = false;
	if (why == NULL) {
		request_answer(store, request, MUM_FOUND, facts, NULL);
		return;
	}
	host_log(store->host, MUM_LOG_ERROR,
		 "database: question=%s key=<%s>: %s; mend it in MUM",
		 mum_question_name(kind),
		 request->question.address != NULL ? LOG_TEXT(request->question.address->name)
						   : "",
		 why);
	request_answer(store, request, MUM_TEMPFAIL, NULL, why);
}

static void answer_misconfigured(struct sqlite_store *store,
				 struct store_request *request)
{
	enum mum_question kind = request->question.kind;
	char *reason = xstrdup(sqlite3_errmsg(store->db));

	if (!store->broken[kind])
		host_log(store->host, MUM_LOG_ERROR,
			 "database %s: question=%s: %s; mail is deferred until the tables "
			 "are as conf-examples/schema-sqlite.sql says",
			 store->path, mum_question_name(kind), reason);
	store->broken[kind] = true;
	store->stats->errors[ERROR_MISCONFIGURED]++;
	request_answer(store, request, MUM_MISCONFIGURED, NULL, reason);
	free(reason);
}

/* Answers the first question; 0, or the ms after which to try it again. */
static unsigned answer_first(struct sqlite_store *store)
{
	struct store_request *request = store->queue;
	struct facts *facts = facts_new(request->question.kind);
	const char *why = NULL;
	unsigned wait_ms = 0;

	switch (read_facts(store, &request->question, facts, &why) & 0xff) {
	case SQLITE_DONE:
		answer_facts(store, request, facts, why);
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		wait_ms = wait_for_lock(store);
		break;
	case SQLITE_ERROR:
		answer_misconfigured(store, request);
		break;
	default:
		went_down(store, sqlite3_errmsg(store->db));
		close_file(store);
		wait_ms = RETRY_OPEN;
		break;
	}
	facts_unref(&facts);
	return wait_ms;
}

/*
 * Nobody asks, so nobody finds out that the file can be read again; and known names
 * are not asked about while it is known to be down. Returns as answer_first() does.
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
	for (int i = 0; i < PER_TICK && wait_ms == 0 && store->queue != NULL; i++)
		wait_ms = answer_first(store);
	if (store->queue == NULL && !store->up)
		wait_ms = try_table(store);
	if (store->db != NULL)
		sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
	if (store->queue != NULL || !store->up)
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
	struct store_request *request = xcalloc(1, sizeof(*request));

	request->question = *question;
	if (question->address != NULL)
		address_ref(question->address);
	request->fn = fn;
	request->arg = arg;
	DL_APPEND(store->queue, request);
	work_in(store, 0);
	return request;
}

static void sqlite_withdraw(struct store *base, struct store_request *request)
{
	request_free((struct sqlite_store *)base, request);
}

static bool sqlite_is_up(const struct store *base)
{
	return ((const struct sqlite_store *)base)->up;
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
	.is_up = sqlite_is_up,
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
	store->up = true;
	return &store->store;
}
