/* SPDX-License-Identifier: MIT */
/*
 * The MariaDB store: few connections, opened when they are needed, and queues
 * of questions in front of them. A connection in any doubt is closed and made
 * anew; its questions are asked again on another one.
 */
#include "common/store.h"

#include <stdlib.h>
#include <string.h>

#include "common/columns.h"
#include "common/config.h"
#include "common/log-text.h"
#include "common/stats.h"
#include "common/store-mariadb/batch.h"
#include "common/store-mariadb/conn.h"
#include "common/store-mariadb/host-list.h"
#include "common/store-mariadb/queue.h"
#include "common/threads.h"
#include "common/timezone.h"
#include "common/xalloc.h"

enum {
	ATTEMPTS_MAX = 5,	/* statements that may fail under one question */
	CROWDED_WAIT = 5000,	/* ms before one more connection is tried again */
	RETURN_EVERY = 1000	/* ms between looks at hosts better than ours */
};

enum slot_state { SLOT_EMPTY, SLOT_CONNECTING, SLOT_IDLE, SLOT_BUSY };

/* The place of one connection. */
struct slot {
	struct pool *pool;
	enum slot_state state;	/* assigned in set_state() alone */
	struct conn *conn;	/* NULL when SLOT_EMPTY */
	size_t host;		/* index of its host */
	bool retire;		/* close when idle: a better host works again */
	bool answered;		/* has done so since it was connected */
	struct batch batch;	/* while SLOT_BUSY */
};

struct pool {
	struct store store;	/* first: the store_ops cast to pool */
	const struct mum_host *host;
	const struct mum_config *config;
	struct timezone_table *timezone;
	struct host_list *hosts;
	struct mum_host_stats *stats;	/* of each host */
	struct queue queues[MUM_QUESTIONS];
	uint64_t next_number;
	struct queue finished;	/* to be answered, oldest first */
	struct mum_timer *work_timer;	/* at once */
	struct mum_timer *retry_timer;	/* when a host may be tried again */
	struct mum_timer *return_timer;	/* while on a host that is not the first */
	bool up;
	bool crowded;
	uint64_t grow_at;	/* while crowded */
	bool broken[MUM_QUESTIONS];	/* logged as getting no answer */
	struct slot probe;	/* looks whether a better host works again */
	size_t probe_next;	/* the host whose turn it is */
	size_t slots_count;
	struct slot slots[];
};

static void work(struct pool *pool);

/* ---- requests ---- */

/* Its callback runs from work(). reason is copied. */
static void request_finish(struct pool *pool, struct store_request *request,
			   enum mum_status status, const char *reason)
{
	request->status = status;
	request->reason = reason != NULL ? xstrdup(reason) : NULL;
	queue_put(&pool->finished, request, false);
}

/* ---- the state of the whole ---- */

static size_t count_slots(const struct pool *pool, enum slot_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < pool->slots_count; i++)
		count += pool->slots[i].state == state;
	return count;
}

static bool is_connected(const struct pool *pool)
{
	return count_slots(pool, SLOT_IDLE) + count_slots(pool, SLOT_BUSY) > 0;
}

static bool has_questions(const struct pool *pool)
{
	for (int i = 0; i < MUM_QUESTIONS; i++) {
		if (pool->queues[i].count > 0)
			return true;
	}
	return false;
}

static void count_state(const struct slot *slot, int change)
{
	static const enum mum_connection kinds[] = { [SLOT_CONNECTING] = MUM_CONNECTING,
						     [SLOT_IDLE] = MUM_IDLE,
						     [SLOT_BUSY] = MUM_BUSY };
	struct mum_host_stats *stats = &slot->pool->stats[slot->host];

	if (slot->state != SLOT_EMPTY)
		stats->connections[kinds[slot->state]] += (size_t)change;
}

static void set_state(struct slot *slot, enum slot_state state)
{
	count_state(slot, -1);
	slot->state = state;
	count_state(slot, 1);
}

static void count_error(const struct slot *slot, const struct conn_error *error)
{
	enum error_class class = error->timed_out ? ERROR_SLOW : error->class;

	slot->pool->stats[slot->host].errors[class]++;
}

static void slot_empty(struct slot *slot)
{
	set_state(slot, SLOT_EMPTY);
	slot->retire = false;
	slot->answered = false;
	conn_free(&slot->conn);
}

/* ---- results ---- */

/* False when they cannot be read, for which all questions end. */
static bool read_rows(struct slot *slot)
{
	struct column columns[COLUMNS_MAX + 1];
	struct batch *batch = &slot->batch;
	int result;

	while ((result = conn_fetch(slot->conn, columns)) > 0) {
		if (!batch_row(batch, columns)) {
			result = -1;
			break;
		}
	}
	for (size_t i = 0; i < batch->count; i++) {
		struct store_request *request = batch->requests[i];

		if (request == NULL)
			continue;
		if (result == 0 && request->bad_row == NULL) {
			facts_complete(request->facts);
			request_finish(slot->pool, request, MUM_FOUND, NULL);
		} else {
			request_finish(slot->pool, request, MUM_TEMPFAIL,
				       request->bad_row != NULL ? request->bad_row
								: "the rows cannot be read");
		}
	}
	return result == 0;
}

static void log_bad_rows(struct slot *slot)
{
	for (size_t i = 0; i < slot->batch.count; i++) {
		struct store_request *request = slot->batch.requests[i];

		if (request == NULL || request->bad_row == NULL)
			continue;
		host_log(slot->pool->host, MUM_LOG_ERROR,
			 "database: question=%s key=<%s>: %s; mend it in MUM",
			 mum_question_name(request->question.kind),
			 request->question.address != NULL
				 ? LOG_TEXT(request->question.address->name) : "",
			 request->bad_row);
	}
}

/*
 * Where somebody kills idle connections, a question may well find five of them
 * dead, one after the other: that is not its fault. On a new one it may be.
 */
static bool is_innocent(const struct slot *slot, const struct conn_error *error)
{
	return error->class == ERROR_LOST && !error->timed_out && slot->answered;
}

/* The statement gave no rows: its questions are asked again, or end (true). */
static bool batch_failed(struct slot *slot, const struct conn_error *error)
{
	struct pool *pool = slot->pool;
	struct batch *batch = &slot->batch;
	bool given_up = false;
	char *reason = xasprintf("database %s: %s (%u)",
				 host_list_name(pool->hosts, slot->host), error->text,
				 error->number);

	/* Backwards, so that the queue keeps their order. */
	for (size_t i = batch->count; i-- > 0;) {
		struct store_request *request = batch->requests[i];

		if (request == NULL)
			continue;
		if (!is_innocent(slot, error))
			request->attempts++;
		if (error->class == ERROR_MISCONFIGURED) {
			request_finish(pool, request, MUM_MISCONFIGURED, reason);
		} else if (request->attempts >= ATTEMPTS_MAX) {
			request_finish(pool, request, MUM_TEMPFAIL, reason);
			given_up = true;
		} else {
			queue_put(&pool->queues[request->question.kind], request, true);
		}
	}
	free(reason);
	return given_up;
}

/*
 * Once for each kind of question, until it is answered again. What another try
 * mends is not worth a line: given_up says that it did not.
 */
static void log_broken(struct pool *pool, enum mum_question question,
		       const struct conn_error *error, bool given_up)
{
	const char *cure;

	if (error->class == ERROR_MISCONFIGURED)
		cure = "mail is deferred until the tables are MUM's, and the grants those "
		       "that \"mumctl setup\" prints";
	else if (error->class == ERROR_SLOW || error->timed_out)
		cure = "if this stays, look for a locked table or a slow server";
	else if (given_up)
		cure = "tried in vain, and mail is deferred; if this stays, see the server's log";
	else
		return;
	if (pool->broken[question])
		return;
	pool->broken[question] = true;
	host_log(pool->host,
		 error->class == ERROR_MISCONFIGURED ? MUM_LOG_ERROR : MUM_LOG_WARNING,
		 "database: question=%s: %s (%u); %s", mum_question_name(question),
		 error->text, error->number, cure);
}

static void log_mended(struct pool *pool, enum mum_question question)
{
	if (!pool->broken[question])
		return;
	pool->broken[question] = false;
	host_log(pool->host, MUM_LOG_INFO, "database: question=%s: answered again",
		 mum_question_name(question));
}

static void result_came(struct slot *slot)
{
	struct conn_error unreadable = { ERROR_RETRY, false, 0, "the rows cannot be read" };

	if (read_rows(slot))
		log_mended(slot->pool, slot->batch.question);
	else
		log_broken(slot->pool, slot->batch.question, &unreadable, true);
	log_bad_rows(slot);
}

/* ---- connections ---- */

/* Connections to hosts that come after this one in mum.conf are given up. */
static void prefer_host(struct pool *pool, size_t host)
{
	for (size_t i = 0; i < pool->slots_count; i++) {
		struct slot *slot = &pool->slots[i];

		if (slot->state == SLOT_EMPTY || slot->host <= host)
			continue;
		if (slot->state == SLOT_BUSY)
			slot->retire = true;
		else
			slot_empty(slot);
	}
}

static void connect_failed(struct slot *slot, const struct conn_error *error)
{
	struct pool *pool = slot->pool;

	if (error->class == ERROR_CROWDED && is_connected(pool)) {
		if (!pool->crowded)
			host_log(pool->host, MUM_LOG_WARNING,
				 "database %s: %s (%u); going on with fewer connections",
				 host_list_name(pool->hosts, slot->host), error->text,
				 error->number);
		pool->crowded = true;
		pool->grow_at = host_now(pool->host) + CROWDED_WAIT;
		return;
	}
	host_list_failed(pool->hosts, slot->host, error);
}

/*
 * With another host to turn to, connections that wait on this one are given up:
 * a question that it failed must not spend its time on the next of them.
 */
static void leave_host(struct pool *pool, size_t host)
{
	if (host_list_count(pool->hosts) == 1)
		return;
	for (size_t i = 0; i < pool->slots_count; i++) {
		if (pool->slots[i].state == SLOT_IDLE && pool->slots[i].host == host)
			slot_empty(&pool->slots[i]);
	}
}

static void on_lost(struct slot *slot, const struct conn_error *error)
{
	struct pool *pool = slot->pool;
	enum slot_state before = slot->state;
	bool given_up;

	count_error(slot, error);
	/* Not connected from here on, which the next lines look at. */
	set_state(slot, SLOT_EMPTY);
	if (before == SLOT_CONNECTING)
		connect_failed(slot, error);
	else if (error->class == ERROR_OUTSIDE)
		host_list_failed(pool->hosts, slot->host, error);
	else if (error->timed_out)
		host_list_suspect(pool->hosts, slot->host);
	if (error->timed_out || error->class == ERROR_OUTSIDE)
		leave_host(pool, slot->host);
	if (before == SLOT_BUSY) {
		given_up = batch_failed(slot, error);
		log_broken(pool, slot->batch.question, error, given_up);
	}
	slot_empty(slot);
	if (!is_connected(pool) && (before == SLOT_CONNECTING || error->timed_out))
		pool->up = false;
}

static void on_up(struct slot *slot)
{
	struct pool *pool = slot->pool;

	set_state(slot, SLOT_IDLE);
	pool->stats[slot->host].connects++;
	pool->up = true;
	if (pool->crowded && count_slots(pool, SLOT_EMPTY) == 0) {
		host_log(pool->host, MUM_LOG_INFO,
			 "database %s: has room for all connections again",
			 host_list_name(pool->hosts, slot->host));
		pool->crowded = false;
	}
	host_list_works(pool->hosts, slot->host);
	prefer_host(pool, slot->host);
}

static void on_conn_event(struct conn *conn, enum conn_event event, void *arg)
{
	struct slot *slot = arg;
	struct conn_error error = conn_error(conn);
	bool given_up;

	switch (event) {
	case CONN_UP:
		on_up(slot);
		break;
	case CONN_RESULT:
		result_came(slot);
		slot->answered = true;
		set_state(slot, SLOT_IDLE);
		break;
	case CONN_FAILED:
		count_error(slot, &error);
		given_up = batch_failed(slot, &error);
		log_broken(slot->pool, slot->batch.question, &error, given_up);
		set_state(slot, SLOT_IDLE);
		break;
	case CONN_LOST:
		on_lost(slot, &error);
		break;
	case CONN_LOST_IDLE:
		slot_empty(slot);
		break;
	}
	if (slot->retire && slot->state == SLOT_IDLE)
		slot_empty(slot);
	work(slot->pool);
}

static bool slot_connect(struct slot *slot, size_t host, conn_event_fn *fn)
{
	struct pool *pool = slot->pool;
	struct connector_settings settings =
		connector_settings(pool->config, host_list_name(pool->hosts, host));

	slot->host = host;
	slot->conn = conn_new(pool->host, &settings, fn, slot);
	if (slot->conn != NULL) {
		set_state(slot, SLOT_CONNECTING);
	} else {
		const struct conn_error error = { ERROR_RETRY, false, 0,
						  "no thread to connect in" };

		count_error(slot, &error);
		host_list_failed(pool->hosts, host, &error);
	}
	return slot->conn != NULL;
}

static void on_retry_timer(void *arg)
{
	struct pool *pool = arg;

	pool->retry_timer = NULL;
	work(pool);
}

/* One more connection, if questions wait or we must learn when it is over. */
static void connect_slots(struct pool *pool)
{
	unsigned wait_ms;
	size_t host;

	if ((pool->up && !has_questions(pool)) ||
	    count_slots(pool, SLOT_IDLE) + count_slots(pool, SLOT_CONNECTING) > 0 ||
	    (pool->crowded && is_connected(pool) && host_now(pool->host) < pool->grow_at))
		return;
	for (size_t i = 0; i < pool->slots_count; i++) {
		struct slot *slot = &pool->slots[i];

		if (slot->state != SLOT_EMPTY)
			continue;
		if (host_list_pick(pool->hosts, &host, &wait_ms) &&
		    slot_connect(slot, host, on_conn_event))
			return;
		if (!host_list_pick(pool->hosts, &host, &wait_ms) &&
		    pool->retry_timer == NULL)
			pool->retry_timer = pool->host->ops->timer(
				pool->host->ctx, wait_ms, on_retry_timer, pool);
		return;
	}
}

/* ---- back to the first host ---- */

static void on_probe_event(struct conn *conn, enum conn_event event, void *arg)
{
	struct slot *probe = arg;
	struct pool *pool = probe->pool;
	struct conn_error error = conn_error(conn);

	if (event == CONN_UP) {
		pool->stats[probe->host].connects++;
		host_list_works(pool->hosts, probe->host);
		prefer_host(pool, probe->host);
	} else {
		count_error(probe, &error);
		host_list_failed(pool->hosts, probe->host, &error);
	}
	slot_empty(probe);
	work(pool);
}

static size_t worst_host(const struct pool *pool)
{
	size_t worst = 0;

	for (size_t i = 0; i < pool->slots_count; i++) {
		const struct slot *slot = &pool->slots[i];

		if (slot->state != SLOT_EMPTY && slot->host > worst)
			worst = slot->host;
	}
	return worst;
}

/* The better hosts take turns: the first may be gone for good. */
static void on_return_timer(void *arg)
{
	struct pool *pool = arg;
	size_t worst = worst_host(pool);

	pool->return_timer = NULL;
	for (size_t i = 0; i < worst && pool->probe.state == SLOT_EMPTY; i++) {
		size_t host = pool->probe_next++ % worst;

		if (host_list_may_try(pool->hosts, host))
			slot_connect(&pool->probe, host, on_probe_event);
	}
	work(pool);
}

static void watch_better_hosts(struct pool *pool)
{
	if (worst_host(pool) > 0 && pool->return_timer == NULL)
		pool->return_timer = pool->host->ops->timer(
			pool->host->ctx, RETURN_EVERY, on_return_timer, pool);
}

/* ---- dispatch ---- */

/*
 * One kind of question never takes every connection: a lock on one table must
 * not stop the others, and nobody knows yet which statement will hang.
 */
static bool may_run(const struct pool *pool, enum mum_question question)
{
	if (pool->slots_count == 1 ||
	    count_slots(pool, SLOT_IDLE) + count_slots(pool, SLOT_EMPTY) > 1)
		return true;
	for (size_t i = 0; i < pool->slots_count; i++) {
		const struct slot *slot = &pool->slots[i];

		if (slot->state == SLOT_BUSY && slot->batch.question == question)
			return false;
	}
	return true;
}

/* The queue whose first question waits longest. NULL when none may run. */
static struct queue *pick_queue(struct pool *pool)
{
	struct queue *best = NULL;

	for (int i = 0; i < MUM_QUESTIONS; i++) {
		struct queue *queue = &pool->queues[i];

		if (queue->head == NULL ||
		    (best != NULL && best->head->number < queue->head->number) ||
		    !may_run(pool, (enum mum_question)i))
			continue;
		best = queue;
	}
	return best;
}

/* A fair share for this connection. One whose statement failed is asked alone. */
static void fill_batch(struct batch *batch, struct queue *queue, size_t idle)
{
	enum mum_question question = queue->head->question.kind;
	size_t share = (queue->count + idle - 1) / idle;

	if (share > BATCH_MAX)
		share = BATCH_MAX;
	if (question == MUM_USERS || queue->head->attempts > 0)
		share = 1;
	batch_clear(batch, question);
	while (batch->count < share && queue->count > 0) {
		if (batch->count > 0 && queue->head->attempts > 0)
			break;
		batch_add(batch, queue_take(queue));
	}
}

static void slot_run(struct slot *slot)
{
	struct pool *pool = slot->pool;
	char now[TIMEZONE_TEXT_SIZE];
	char *values[PARAMS_MAX];
	enum statement_shape shape =
		batch_shape(&slot->batch, conn_binds_names(slot->conn));

	timezone_format(pool->timezone, pool->host->ops->wall(pool->host->ctx), now);
	batch_values(&slot->batch, shape, now, values);
	set_state(slot, SLOT_BUSY);
	conn_execute(slot->conn, slot->batch.question, shape, values);
}

static void dispatch(struct pool *pool)
{
	for (size_t i = 0; i < pool->slots_count; i++) {
		struct slot *slot = &pool->slots[i];
		struct queue *queue;

		if (slot->state != SLOT_IDLE)
			continue;
		queue = pick_queue(pool);
		if (queue == NULL)
			return;
		fill_batch(&slot->batch, queue, count_slots(pool, SLOT_IDLE));
		slot_run(slot);
	}
}

static void work(struct pool *pool)
{
	dispatch(pool);
	connect_slots(pool);
	watch_better_hosts(pool);
	queue_deliver(&pool->finished);
}

static void on_work_timer(void *arg)
{
	struct pool *pool = arg;

	pool->work_timer = NULL;
	work(pool);
}

/* ---- store.h ---- */

/* Connected, and nothing to do. */
static bool is_quiet(const struct pool *pool)
{
	return count_slots(pool, SLOT_BUSY) == 0 && count_slots(pool, SLOT_IDLE) > 0 &&
	       pool->work_timer == NULL;
}

static struct store_request *pool_submit(struct store *store,
					 const struct question *question,
					 store_done_fn *fn, void *arg)
{
	struct pool *pool = (struct pool *)store;
	struct store_request *request = request_new(question, fn, arg);

	request->number = pool->next_number++;
	queue_put(&pool->queues[question->kind], request, false);
	/*
	 * A lone question is asked at once. While another one is under way, those
	 * of one turn of the loop wait for its end and share a statement.
	 */
	if (is_quiet(pool))
		dispatch(pool);
	else if (pool->work_timer == NULL)
		pool->work_timer = pool->host->ops->timer(pool->host->ctx, 0,
							  on_work_timer, pool);
	return request;
}

static void pool_withdraw(struct store *store, struct store_request *request)
{
	(void)store;
	if (request->batch != NULL)
		batch_remove(request->batch, request);
	request_free(request);
}

static bool pool_is_up(const struct store *store)
{
	return ((const struct pool *)store)->up;
}

static void pool_close(struct store *store)
{
	struct pool *pool = (struct pool *)store;

	for (size_t i = 0; i < pool->slots_count; i++)
		slot_empty(&pool->slots[i]);
	slot_empty(&pool->probe);
	host_untimer(pool->host, &pool->work_timer);
	host_untimer(pool->host, &pool->retry_timer);
	host_untimer(pool->host, &pool->return_timer);
	host_list_free(&pool->hosts);
	timezone_free(&pool->timezone);
	free(pool);
}

static const struct store_ops pool_ops = {
	.submit = pool_submit,
	.withdraw = pool_withdraw,
	.is_up = pool_is_up,
	.close = pool_close,
};

struct store *store_mariadb_open(const struct mum_host *host,
				 const struct mum_config *config,
				 struct mum_host_stats *stats)
{
	size_t count = config->database.connections;
	struct pool *pool = xcalloc(1, sizeof(*pool) + count * sizeof(pool->slots[0]));

	/* Threads come later; the library wants its one-time setup before them. */
	mysql_library_init(0, NULL, NULL);
	threads_guard_exit(host->threads);
	pool->store.ops = &pool_ops;
	pool->host = host;
	pool->config = config;
	pool->timezone = timezone_new(config->mum.timezone, host->ops->wall(host->ctx));
	pool->hosts = host_list_new(host, &config->database.hosts);
	pool->stats = stats;
	pool->up = true;
	pool->slots_count = count;
	for (size_t i = 0; i < count; i++)
		pool->slots[i].pool = pool;
	pool->probe.pool = pool;
	return &pool->store;
}
