/* SPDX-License-Identifier: MIT */
/*
 * The MariaDB store: few connections, opened when they are needed, and a backlog
 * of questions in front of them. A connection in any doubt is closed and made
 * anew; its questions are asked again on another one.
 */
#include "common/store.h"

#include <stdlib.h>

#include "common/config.h"
#include "common/store-mariadb/backlog.h"
#include "common/store-mariadb/probe.h"
#include "common/store-mariadb/slot.h"
#include "common/threads.h"
#include "common/timezone.h"
#include "common/xalloc.h"

enum { CROWDED_WAIT = 5000 };	/* ms before one more connection is tried again */

struct pool {
	struct store store;	/* first: the store_ops cast to pool */
	struct slot_shared shared;
	struct timezone_table *timezone;
	struct backlog backlog;
	struct mum_timer *work_timer;	/* at once */
	struct mum_timer *retry_timer;	/* when a host may be tried again */
	struct probe *probe;
	bool crowded;
	uint64_t grow_at;	/* while crowded */
	size_t slots_count;
	struct slot slots[];
};

static void work(struct pool *pool);

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
	struct pool *pool = slot->owner;

	if (error->class == ERROR_CROWDED && is_connected(pool)) {
		if (!pool->crowded)
			host_log(pool->shared.host, MUM_LOG_WARNING,
				 "database %s: %s (%u); going on with fewer connections",
				 host_list_name(pool->shared.hosts, slot->host), error->text,
				 error->number);
		pool->crowded = true;
		pool->grow_at = host_now(pool->shared.host) + CROWDED_WAIT;
		return;
	}
	host_list_failed(pool->shared.hosts, slot->host, error);
}

/*
 * If there is another host, closes the idle connections to this one: a question that
 * failed here must not lose its time on the next of them.
 */
static void leave_host(struct pool *pool, size_t host)
{
	if (host_list_count(pool->shared.hosts) == 1)
		return;
	for (size_t i = 0; i < pool->slots_count; i++) {
		if (pool->slots[i].state == SLOT_IDLE && pool->slots[i].host == host)
			slot_empty(&pool->slots[i]);
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

/* The statement gave no rows. */
static void batch_failed(struct slot *slot, const struct conn_error *error)
{
	struct pool *pool = slot->owner;

	backlog_failed(&pool->backlog, &slot->batch,
		       host_list_name(pool->shared.hosts, slot->host), error,
		       is_innocent(slot, error));
}

static void on_lost(struct slot *slot, const struct conn_error *error)
{
	struct pool *pool = slot->owner;
	enum slot_state before = slot->state;

	slot_count_error(slot, error);
	/* The next lines must see that it is not connected. */
	slot_set_state(slot, SLOT_EMPTY);
	if (before == SLOT_CONNECTING)
		connect_failed(slot, error);
	else if (error->class == ERROR_OUTSIDE)
		host_list_failed(pool->shared.hosts, slot->host, error);
	else if (error->timed_out)
		host_list_suspect(pool->shared.hosts, slot->host);
	if (error->timed_out || error->class == ERROR_OUTSIDE)
		leave_host(pool, slot->host);
	if (before == SLOT_BUSY)
		batch_failed(slot, error);
	slot_empty(slot);
	if (!is_connected(pool) && (before == SLOT_CONNECTING || error->timed_out))
		pool->store.up = false;
}

static void on_up(struct slot *slot)
{
	struct pool *pool = slot->owner;

	slot_set_state(slot, SLOT_IDLE);
	pool->shared.stats[slot->host].connects++;
	pool->store.up = true;
	if (pool->crowded && count_slots(pool, SLOT_EMPTY) == 0) {
		host_log(pool->shared.host, MUM_LOG_INFO,
			 "database %s: has room for all connections again",
			 host_list_name(pool->shared.hosts, slot->host));
		pool->crowded = false;
	}
	host_list_works(pool->shared.hosts, slot->host);
	prefer_host(pool, slot->host);
}

static void on_conn_event(struct conn *conn, enum conn_event event, void *arg)
{
	struct slot *slot = arg;
	struct pool *pool = slot->owner;
	struct conn_error error = conn_error(conn);

	switch (event) {
	case CONN_UP:
		on_up(slot);
		break;
	case CONN_RESULT:
		backlog_take_rows(&pool->backlog, &slot->batch, conn);
		slot->answered = true;
		slot_set_state(slot, SLOT_IDLE);
		break;
	case CONN_FAILED:
		slot_count_error(slot, &error);
		batch_failed(slot, &error);
		slot_set_state(slot, SLOT_IDLE);
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
	work(pool);
}

static void on_retry_timer(void *arg)
{
	struct pool *pool = arg;

	pool->retry_timer = NULL;
	work(pool);
}

/*
 * Starts to connect to the first host that may be tried, else sets the timer. If no thread
 * can be made, the host has failed, and it is the next one's turn.
 */
static void connect_slot(struct slot *slot)
{
	struct pool *pool = slot->owner;
	const struct slot_shared *shared = &pool->shared;
	unsigned wait_ms;
	size_t host;

	while (host_list_pick(shared->hosts, &host, &wait_ms)) {
		if (slot_connect(slot, host, on_conn_event))
			return;
	}
	if (pool->retry_timer == NULL)
		pool->retry_timer = shared->host->ops->timer(shared->host->ctx, wait_ms,
							     on_retry_timer, pool);
}

/* One more connection, if questions wait or to learn when an outage ends. */
static void connect_slots(struct pool *pool)
{
	const struct mum_host *host = pool->shared.host;

	if ((pool->store.up && !backlog_waits(&pool->backlog)) ||
	    count_slots(pool, SLOT_IDLE) + count_slots(pool, SLOT_CONNECTING) > 0 ||
	    (pool->crowded && is_connected(pool) && host_now(host) < pool->grow_at))
		return;
	for (size_t i = 0; i < pool->slots_count; i++) {
		if (pool->slots[i].state != SLOT_EMPTY)
			continue;
		connect_slot(&pool->slots[i]);
		return;
	}
}

/* ---- back to the first host ---- */

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

static void on_better_host(size_t host, void *arg)
{
	struct pool *pool = arg;

	prefer_host(pool, host);
	work(pool);
}

/* ---- dispatch ---- */

/*
 * One kind of question never takes every connection: a lock on one table must not stop
 * the others, and nobody knows yet which statement will hang. So the last connection
 * takes no kind that the others are busy with.
 */
static unsigned barred_questions(const struct pool *pool)
{
	unsigned barred = 0;

	if (pool->slots_count == 1 ||
	    count_slots(pool, SLOT_IDLE) + count_slots(pool, SLOT_EMPTY) > 1)
		return 0;
	for (size_t i = 0; i < pool->slots_count; i++) {
		if (pool->slots[i].state == SLOT_BUSY)
			barred |= MUM_ASK(pool->slots[i].batch.kind);
	}
	return barred;
}

static void slot_run(struct slot *slot)
{
	struct pool *pool = slot->owner;
	const struct mum_host *host = pool->shared.host;
	char now[TIMEZONE_TEXT_SIZE];
	char *values[PARAMS_MAX];
	enum statement_shape shape =
		batch_shape(&slot->batch, conn_binds_names(slot->conn));

	timezone_format(pool->timezone, host->ops->wall(host->ctx), now);
	batch_values(&slot->batch, shape, now, values);
	slot_set_state(slot, SLOT_BUSY);
	conn_execute(slot->conn, slot->batch.kind, shape, values);
}

static void dispatch(struct pool *pool)
{
	for (size_t i = 0; i < pool->slots_count; i++) {
		struct slot *slot = &pool->slots[i];

		if (slot->state != SLOT_IDLE)
			continue;
		if (!backlog_next(&pool->backlog, barred_questions(pool),
				  count_slots(pool, SLOT_IDLE), &slot->batch))
			return;
		slot_run(slot);
	}
}

static void work(struct pool *pool)
{
	dispatch(pool);
	connect_slots(pool);
	probe_watch(pool->probe, worst_host(pool));
	backlog_deliver(&pool->backlog);
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
	const struct mum_host *host = pool->shared.host;
	struct store_request *request = backlog_add(&pool->backlog, question, fn, arg);

	/*
	 * A lone question is asked at once. While another one is under way, those of
	 * one turn of the loop wait for the next and share a statement.
	 */
	if (is_quiet(pool))
		dispatch(pool);
	else if (pool->work_timer == NULL)
		pool->work_timer = host->ops->timer(host->ctx, 0, on_work_timer, pool);
	return request;
}

static void pool_withdraw(struct store *store, struct store_request *request)
{
	(void)store;
	if (request->batch != NULL)
		batch_remove(request->batch, request);
	request_free(request);
}

static void pool_close(struct store *store)
{
	struct pool *pool = (struct pool *)store;

	for (size_t i = 0; i < pool->slots_count; i++)
		slot_empty(&pool->slots[i]);
	probe_free(&pool->probe);
	host_untimer(pool->shared.host, &pool->work_timer);
	host_untimer(pool->shared.host, &pool->retry_timer);
	host_list_free(&pool->shared.hosts);
	timezone_free(&pool->timezone);
	free(pool);
}

static const struct store_ops pool_ops = {
	.submit = pool_submit,
	.withdraw = pool_withdraw,
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
	pool->shared = (struct slot_shared){
		host, config, host_list_new(host, &config->database.hosts), stats };
	pool->backlog.log.host = host;
	pool->timezone = timezone_new(config->mum.timezone, host->ops->wall(host->ctx));
	pool->probe = probe_new(&pool->shared, on_better_host, pool);
	pool->store.up = true;
	pool->slots_count = count;
	for (size_t i = 0; i < count; i++) {
		pool->slots[i].shared = &pool->shared;
		pool->slots[i].owner = pool;
	}
	return &pool->store;
}
