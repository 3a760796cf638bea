/* SPDX-License-Identifier: MIT */
/*
 * Lives of the MariaDB store: the real pool, backlog, batches and host list, on
 * connections that are a fake's. Servers fail in each way that conn.h knows, threads run
 * out, clocks jump, questions are withdrawn, and a reload opens a second store.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/columns.h"
#include "common/config.h"
#include "common/store-mariadb/slot.h"
#include "common/store-queue.h"
#include "common/xalloc.h"
#include "tests/fakes/fake-conn.h"
#include "tests/fakes/fake-host.h"
#include "tests/simulation/simulation.h"

enum {
	NAMES = 6,		/* a@d.test and so on */
	HOSTS_MAX = 3,
	POOLS_MAX = 2,
	ASKED_MAX = 48,
	STEPS_MAX = 60,
	DEADLINE = 2000,
	RECOVERY = 20000	/* ms in which a healthy server answers everything */
};

/* One name in the tables, and what its last complete result said. */
struct name {
	struct address *mail, *login, *domain;
	bool exists;
	struct {
		unsigned long serial;	/* of the world; 0: never */
		bool existed;
	} told[MUM_QUESTIONS];
};

struct world;

/* One store with the configuration that it was opened with. */
struct opened {
	struct store *store;
	struct mum_config config;
	const char *hosts[HOSTS_MAX];
	struct mum_host_stats stats[HOSTS_MAX];
};

/* One question that waits for its answer. */
struct asked {
	struct world *world;
	struct store_request *request;	/* NULL: this place is free */
	struct opened *opened;
	enum question_kind kind;
	size_t name;
	unsigned long serial;		/* when it was asked */
	unsigned long failures, misconfigured;	/* of the world, then */
};

struct world {
	struct dice *dice;
	struct fake_host host;
	struct fake_conns conns;
	struct opened pools[POOLS_MAX];
	struct asked asked[ASKED_MAX];
	size_t waiting;
	unsigned long serial;		/* counts all that happens */
	unsigned long failures, misconfigured;	/* of connections and statements */
	bool busy;			/* inside the store: nobody may be called */
	bool healthy;			/* the servers fail no more */
};

static struct name names[NAMES];

/* ---- the tables ---- */

static void names_make(void)
{
	for (int i = 0; i < NAMES; i++) {
		char *mail = xasprintf("%c+x@d.test", 'a' + i), *login, *domain;

		if (names[i].mail == NULL) {
			login = xasprintf("%c@d.test", 'a' + i);
			/* A domain of two spellings, now and then. */
			domain = xasprintf(i % 3 == 0 ? "%c\xc3\xbc.test" : "%c.test", 'a' + i);
			names[i].mail = address_new(ADDRESS_MAIL, mail, strlen(mail), "+");
			names[i].login = address_new(ADDRESS_LOGIN, login, strlen(login), "+");
			names[i].domain =
				address_new(ADDRESS_DOMAIN, domain, strlen(domain), "+");
			free(login);
			free(domain);
		}
		free(mail);
		memset(names[i].told, 0, sizeof(names[i].told));
		names[i].exists = false;
	}
}

static void cell(struct column *column, const char *text)
{
	*column = (struct column){ text, text != NULL ? strlen(text) : 0 };
}

static void fill(struct column *columns, size_t count, const char *const *cells)
{
	for (size_t i = 0; i < count; i++)
		cell(&columns[i], cells[i]);
}

static const char *pair_number(size_t pair)
{
	static char text[16];

	snprintf(text, sizeof(text), "%zu", pair);
	return text;
}

static void put_row(enum question_kind kind, size_t pair, const char *local,
		    const char *domain, struct column *columns)
{
	const char *number = pair_number(pair);

	if (kind == MUM_DOMAIN)
		fill(columns, DOMAIN_COLUMNS, (const char *[]){ number, domain, "1" });
	else if (kind == MUM_DELIVERY)
		fill(columns, DELIVERY_COLUMNS,
		     (const char *[]){ number, domain, "1", local, "1", "0", NULL, NULL, NULL,
				       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL });
	else if (kind == MUM_CREDENTIAL)
		fill(columns, CREDENTIAL_COLUMNS,
		     (const char *[]){ number, local, domain, "1", "1", "0", local });
	else
		fill(columns, LISTED_COLUMNS,
		     (const char *[]){ "1", local, domain, "1", "1", "0", "7" });
}

/* The name that this pair asks for, or NULL. Domains have no local part. */
static struct name *find_name(enum question_kind kind, const char *local,
			      const char *domain)
{
	for (int i = 0; i < NAMES; i++) {
		if (kind == MUM_DOMAIN ? address_is_domain(names[i].domain, domain)
				       : local[0] == 'a' + i && local[1] == '\0')
			return &names[i];
	}
	return NULL;
}

/* Each pair of a JSON array of our own plain names, the number of it being 1, 2, ... */
static bool next_pair(const char **json, char local[16], char domain[32])
{
	const char *at = strchr(*json + 1, '[');
	int used = 0;

	if (at == NULL)
		return false;
	if (sscanf(at, "[\"\",\"%31[^\"]\"]%n", domain, &used) == 1 && used > 0) {
		local[0] = '\0';
	} else {
		used = 0;
		MUST("a statement asks for pairs of names",
		     sscanf(at, "[\"%15[^\"]\",\"%31[^\"]\"]%n", local, domain, &used) == 2 &&
		     used > 0);
	}
	*json = at + used - 1;
	return true;
}

/* The value of the first parameter of this kind. */
static const char *value_of(const struct conn *conn, enum statement_param param)
{
	const enum statement_param *params = statements[conn->kind].shapes[conn->shape].params;

	for (int i = 0; params[i] != PARAM_END; i++) {
		if (params[i] == param)
			return conn->values[i];
	}
	return NULL;
}

/* A statement reads the tables once; afterwards they may change as they like. */
struct snapshot {
	struct world *world;
	bool existed[NAMES];
	bool nobodys;		/* the rows answer pairs that nobody asked for */
};

/* What is told is complete when the last row has been read. */
static void told(const struct snapshot *snapshot, enum question_kind kind,
		 const struct name *name)
{
	struct name *known = &names[name - names];

	known->told[kind].serial = ++snapshot->world->serial;
	known->told[kind].existed = snapshot->existed[name - names];
}

static bool row_of_many(const struct conn *conn, size_t index, struct column *columns,
			const struct snapshot *snapshot)
{
	const char *json = value_of(conn, PARAM_PAIRS);
	static char local[16], domain[32];
	size_t rows = 0;

	for (size_t pair = 1; next_pair(&json, local, domain); pair++) {
		const struct name *name = find_name(conn->kind, local, domain);

		if (name == NULL || !snapshot->existed[name - names] || rows++ < index)
			continue;
		put_row(conn->kind, snapshot->nobodys ? pair + 1000 : pair, local, domain,
			columns);
		return true;
	}
	json = value_of(conn, PARAM_PAIRS);
	while (next_pair(&json, local, domain)) {
		const struct name *name = find_name(conn->kind, local, domain);

		if (name != NULL)
			told(snapshot, conn->kind, name);
	}
	return false;
}

static bool row_of_one(const struct conn *conn, size_t index, struct column *columns,
		       const struct snapshot *snapshot)
{
	const char *local = value_of(conn, PARAM_LOCAL), *domain = value_of(conn, PARAM_DOMAIN);
	const struct name *name = find_name(conn->kind, local != NULL ? local : "", domain);

	MUST("a statement asks for a name that somebody asked for", name != NULL);
	if (index == 0 && snapshot->existed[name - names]) {
		put_row(conn->kind, snapshot->nobodys ? 2 : 1, local, domain, columns);
		return true;
	}
	told(snapshot, conn->kind, name);
	return false;
}

static bool read_row(const struct conn *conn, size_t index, struct column *columns, void *arg)
{
	const struct snapshot *snapshot = arg;

	if (value_of(conn, PARAM_PAIRS) != NULL)
		return row_of_many(conn, index, columns, snapshot);
	if (value_of(conn, PARAM_AFTER) == NULL)
		return row_of_one(conn, index, columns, snapshot);
	if (index == 0 && snapshot->existed[0]) {
		put_row(MUM_USERS, 1, "a", "d.test", columns);
		return true;
	}
	told(snapshot, MUM_USERS, &names[0]);
	return false;
}

/* ---- questions ---- */

static void ask(struct world *world, struct opened *opened);
static void withdraw_any(struct world *world);

static void on_done(enum mum_status status, struct facts *facts, const char *reason, void *arg)
{
	struct asked *asked = arg;
	struct world *world = asked->world;
	struct name *name = &names[asked->name];

	MUST("an answer comes once, and none after it was withdrawn", asked->request != NULL);
	MUST("an answer does not come from inside a call", !world->busy);
	MUST("there are facts with FOUND alone", (facts != NULL) == (status == MUM_FOUND));
	MUST("a reason says why there are none", status == MUM_FOUND || reason != NULL);
	if (status == MUM_FOUND) {
		MUST("facts come of a complete result since the question",
		     name->told[asked->kind].serial > asked->serial);
		MUST("facts are those of the complete result",
		     (facts->count > 0) == name->told[asked->kind].existed);
		MUST("facts are about the question", facts->kind == asked->kind);
	}
	MUST("a store says nothing of names that are not there", status != MUM_NOT_FOUND);
	if (status == MUM_TEMPFAIL)
		MUST("nothing failed, and yet it did", world->failures > asked->failures);
	if (status == MUM_MISCONFIGURED)
		MUST("somebody is blamed for nothing", world->misconfigured > asked->misconfigured);
	simulation_note("  answer %zd: %d", asked - world->asked, status);
	asked->request = NULL;
	world->waiting--;
	if (!world->healthy && dice_chance(world->dice, 20))
		ask(world, asked->opened);
	if (!world->healthy && dice_chance(world->dice, 10))
		withdraw_any(world);
}

static struct address *address_of(enum question_kind kind, const struct name *name)
{
	switch (kind) {
	case MUM_DOMAIN:
		return name->domain;
	case MUM_DELIVERY:
		return name->mail;
	case MUM_USERS:
		return NULL;
	default:
		return name->login;
	}
}

static void ask(struct world *world, struct opened *opened)
{
	static const enum question_kind kinds[] = { MUM_DELIVERY, MUM_DELIVERY, MUM_DELIVERY,
						    MUM_DOMAIN, MUM_CREDENTIAL, MUM_USERS };
	struct asked *asked = world->asked;
	bool before = world->busy;
	struct question question;

	while (asked->request != NULL && asked < world->asked + ASKED_MAX - 1)
		asked++;
	if (asked->request != NULL || opened->store == NULL)
		return;
	question.kind = kinds[dice_roll(world->dice, sizeof(kinds) / sizeof(kinds[0]))];
	*asked = (struct asked){ world, NULL, opened, question.kind, 0, ++world->serial,
				 world->failures, world->misconfigured };
	asked->name = question.kind == MUM_USERS ? 0 : dice_roll(world->dice, NAMES);
	question.address = address_of(question.kind, &names[asked->name]);
	question.after_id = 0;
	simulation_note("ask %zd: %s %c", asked - world->asked, mum_question_name(question.kind),
			(char)('a' + asked->name));
	world->busy = true;
	asked->request = opened->store->ops->submit(opened->store, &question, on_done, asked);
	world->busy = before;
	world->waiting++;
}

static void withdraw(struct world *world, struct asked *asked)
{
	struct store *store = asked->opened->store;
	bool before = world->busy;

	simulation_note("withdraw %zd", asked - world->asked);
	world->busy = true;
	store->ops->withdraw(store, asked->request);
	world->busy = before;
	asked->request = NULL;
	world->waiting--;
}

static void withdraw_any(struct world *world)
{
	struct asked *asked = &world->asked[dice_roll(world->dice, ASKED_MAX)];

	if (asked->request != NULL)
		withdraw(world, asked);
}

/* ---- stores ---- */

static void pool_open(struct world *world, struct opened *opened)
{
	static const char *const all[HOSTS_MAX] = { "db1.test", "db2.test", "db3.test" };
	struct mum_config *config = &opened->config;

	memset(opened, 0, sizeof(*opened));
	memcpy(opened->hosts, all, sizeof(all));
	config->database.hosts.count = 1 + dice_roll(world->dice, HOSTS_MAX);
	config->database.hosts.items = opened->hosts;
	config->database.user = config->database.password = config->database.name = "mum";
	config->database.tls_ca = "";
	config->database.connections = 1 + dice_roll(world->dice, 4);
	config->database.deadline = DEADLINE;
	config->mum.timezone = "UTC";
	simulation_note("open: %zu hosts, %u connections", config->database.hosts.count,
			config->database.connections);
	opened->store = store_mariadb_open(&world->host.host, config, opened->stats);
}

static bool is_idle(const struct world *world, const struct opened *opened)
{
	for (size_t i = 0; i < ASKED_MAX; i++) {
		if (world->asked[i].request != NULL && world->asked[i].opened == opened)
			return false;
	}
	return true;
}

static void pool_close(struct world *world, struct opened *opened)
{
	if (opened->store == NULL)
		return;
	for (size_t i = 0; i < ASKED_MAX; i++) {
		if (world->asked[i].request != NULL && world->asked[i].opened == opened)
			withdraw(world, &world->asked[i]);
	}
	simulation_note("close %zd", opened - world->pools);
	opened->store->ops->close(opened->store);
	opened->store = NULL;
	for (size_t i = 0; i < HOSTS_MAX; i++) {
		for (int state = 0; state < MUM_CONNECTION_STATES; state++)
			MUST("a closed store counts no connection",
			     opened->stats[i].connections[state] == 0);
	}
}

/* As in a reload: a new one, and the old one lives until its last answer. */
static void reload(struct world *world)
{
	for (size_t i = 0; i < POOLS_MAX; i++) {
		struct opened *opened = &world->pools[i];

		if (opened->store == NULL) {
			pool_open(world, opened);
			return;
		}
		if (is_idle(world, opened)) {
			pool_close(world, opened);
			pool_open(world, opened);
			return;
		}
	}
}

/* ---- what must hold between two events ---- */

static struct opened *opened_of(struct world *world, const struct conn *conn)
{
	for (size_t i = 0; i < POOLS_MAX; i++) {
		const struct opened *opened = &world->pools[i];
		const struct slot *slot = conn->arg;

		if (opened->store != NULL && slot->shared->config == &opened->config)
			return &world->pools[i];
	}
	simulation_fail("a connection has outlived its store");
}

static void check_conn(struct world *world, const struct conn *conn)
{
	static const enum slot_state states[] = { [FAKE_CONN_CONNECTING] = SLOT_CONNECTING,
						  [FAKE_CONN_IDLE] = SLOT_IDLE,
						  [FAKE_CONN_BUSY] = SLOT_BUSY };
	const struct slot *slot = conn->arg;
	const struct conn *other;

	opened_of(world, conn);
	MUST("a connection that is lost is closed", conn->state != FAKE_CONN_DEAD);
	MUST("a connection is in its slot", slot->conn == conn);
	MUST("a slot knows what its connection does", slot->state == states[conn->state]);
	MUST("a batch is the one that is asked", slot->state != SLOT_BUSY ||
	     slot->batch.kind == conn->kind);
	DL_FOREACH(world->conns.conns, other)
		MUST("a connection is in one slot", other == conn || other->arg != conn->arg);
}

static void check_counts(struct world *world, const struct opened *opened)
{
	static const enum fake_conn_state states[] = { [MUM_CONNECTING] = FAKE_CONN_CONNECTING,
						       [MUM_IDLE] = FAKE_CONN_IDLE,
						       [MUM_BUSY] = FAKE_CONN_BUSY };
	size_t busy[MUM_QUESTIONS] = { 0 }, all = 0;
	const struct conn *conn;

	for (size_t i = 0; i < opened->config.database.hosts.count; i++) {
		for (int state = 0; state < MUM_CONNECTION_STATES; state++) {
			size_t count = 0;

			DL_FOREACH(world->conns.conns, conn)
				count += opened_of(world, conn) == opened &&
					 conn->host_name == opened->hosts[i] &&
					 conn->state == states[state];
			MUST("the numbers count the connections",
			     opened->stats[i].connections[state] == count);
			all += count;
		}
	}
	MUST("there are as many connections as are allowed, and one that looks for a host",
	     all <= opened->config.database.connections + 1);
	DL_FOREACH(world->conns.conns, conn) {
		if (opened_of(world, conn) == opened && conn->state == FAKE_CONN_BUSY)
			MUST("one kind of question never takes every connection",
			     ++busy[conn->kind] < opened->config.database.connections ||
				     opened->config.database.connections == 1);
	}
}

/* It waits in a queue, or for the statement of one connection. */
static void check_request(const struct world *world, const struct store_request *request)
{
	const struct conn *conn;
	size_t places = request->queue != NULL;

	DL_FOREACH(world->conns.conns, conn) {
		const struct slot *slot = conn->arg;

		for (size_t i = 0; slot->state == SLOT_BUSY && i < slot->batch.count; i++) {
			if (slot->batch.requests[i] != request)
				continue;
			MUST("a question knows its batch", request->batch == &slot->batch);
			places++;
		}
	}
	MUST("a question is in one place", places == 1);
	MUST("a question in a queue has no batch", request->queue == NULL || request->batch == NULL);
}

static void check(struct world *world)
{
	const struct conn *conn;

	DL_FOREACH(world->conns.conns, conn)
		check_conn(world, conn);
	for (size_t i = 0; i < POOLS_MAX; i++) {
		if (world->pools[i].store != NULL)
			check_counts(world, &world->pools[i]);
	}
	for (size_t i = 0; i < ASKED_MAX; i++) {
		if (world->asked[i].request != NULL)
			check_request(world, world->asked[i].request);
	}
}

/* ---- what happens ---- */

static struct conn *any_conn(struct world *world)
{
	struct conn *conn;
	unsigned count, skip;

	DL_COUNT(world->conns.conns, conn, count);
	if (count == 0)
		return NULL;
	skip = dice_roll(world->dice, count);
	conn = world->conns.conns;
	while (skip-- > 0)
		conn = conn->next;
	return conn;
}

static void result(struct world *world, struct conn *conn)
{
	struct snapshot snapshot = { .world = world };
	bool damaged = !world->healthy && dice_chance(world->dice, 10);
	size_t good = damaged ? dice_roll(world->dice, 3) : (size_t)-1;

	for (int i = 0; i < NAMES; i++)
		snapshot.existed[i] = names[i].exists;
	snapshot.nobodys = !world->healthy && dice_chance(world->dice, 3) &&
			  conn->kind != MUM_USERS;
	world->failures += damaged || snapshot.nobodys;
	simulation_note("result on connection %u%s%s", conn->number,
			damaged ? ", damaged" : "", snapshot.nobodys ? ", of nobody" : "");
	fake_conn_result(conn, read_row, &snapshot, good);
}

static void fail_conn(struct world *world, struct conn *conn)
{
	static const unsigned connecting[] = { 1040, 1045, 1226, 2002, 2005, 2013, 2026, 2998, 1047 };
	static const unsigned idle[] = { 2006 };
	static const unsigned busy[] = { 1205, 1969, 1146, 1143, 1317, 2013, 2026, 1053, 2057, 2999 };
	const unsigned *numbers = connecting;
	size_t count = sizeof(connecting) / sizeof(connecting[0]);
	unsigned number;

	if (conn->state == FAKE_CONN_IDLE) {
		numbers = idle;
		count = 1;
	} else if (conn->state == FAKE_CONN_BUSY) {
		numbers = busy;
		count = sizeof(busy) / sizeof(busy[0]);
	}
	number = numbers[dice_roll(world->dice, (unsigned)count)];
	world->failures++;
	if (error_classify(number, conn->connected) == ERROR_MISCONFIGURED)
		world->misconfigured++;
	simulation_note("error %u on connection %u", number, conn->number);
	fake_conn_error(conn, number, "trouble");
}

static void conn_event(struct world *world, unsigned percent_bad)
{
	struct conn *conn = any_conn(world);

	if (conn == NULL)
		return;
	if (dice_chance(world->dice, percent_bad)) {
		fail_conn(world, conn);
	} else if (conn->state == FAKE_CONN_CONNECTING) {
		simulation_note("connection %u to %s is made", conn->number, conn->host_name);
		fake_conn_connect(conn);
	} else if (conn->state == FAKE_CONN_BUSY) {
		result(world, conn);
	}
}

/* Connections and statements that time out meanwhile have failed. */
static void pass_time(struct world *world, unsigned ms)
{
	simulation_note("%u ms", ms);
	if (ms >= 10)
		world->failures++;
	fake_host_advance(&world->host, ms);
}

/* The process did not run for a while: all that is due comes late and at once. */
static void jump(struct world *world)
{
	simulation_note("the clocks jump");
	world->failures++;
	world->host.now_ms += dice_roll(world->dice, 5000);
	world->host.wall += (time_t)dice_roll(world->dice, 200000) - 100000;
	fake_host_turn(&world->host);
}

static void set_threads(struct world *world, bool there_are)
{
	simulation_note("there are %s threads", there_are ? "more" : "no more");
	world->conns.no_thread = !there_are;
}

static void step(struct world *world, unsigned percent_bad)
{
	struct opened *opened = &world->pools[dice_roll(world->dice, POOLS_MAX)];
	unsigned what = dice_roll(world->dice, 100);

	if (what < 30)
		ask(world, opened);
	else if (what < 62)
		conn_event(world, percent_bad);
	else if (what < 75)
		fake_host_turn(&world->host);
	else if (what < 80)
		withdraw_any(world);
	else if (what < 88)
		names[dice_roll(world->dice, NAMES)].exists = dice_chance(world->dice, 50);
	else if (what < 94)
		pass_time(world, dice_roll(world->dice, dice_chance(world->dice, 20) ? 2500 : 100));
	else if (what < 95)
		jump(world);
	else if (what < 98)
		set_threads(world, dice_chance(world->dice, 80));
	else if (what < 99)
		world->conns.binds_names = dice_chance(world->dice, 50);
	else
		reload(world);
	fake_host_clear_log(&world->host);
	check(world);
}

/* Servers that work answer everybody, however bad the time before was. */
static void recover(struct world *world)
{
	uint64_t end = world->host.now_ms + RECOVERY;
	struct conn *conn;

	simulation_note("all is well");
	world->healthy = true;
	world->conns.no_thread = false;
	while (world->waiting > 0 && world->host.now_ms < end) {
		conn = world->conns.conns;
		while (conn != NULL && conn->state == FAKE_CONN_IDLE)
			conn = conn->next;
		if (conn != NULL && conn->state == FAKE_CONN_CONNECTING)
			fake_conn_connect(conn);
		else if (conn != NULL)
			result(world, conn);
		fake_host_advance(&world->host, 5);
		fake_host_clear_log(&world->host);
		check(world);
	}
	MUST("a server that works answers everybody", world->waiting == 0);
}

static void life(struct dice *dice)
{
	struct world world = { .dice = dice };
	unsigned percent_bad = dice_roll(dice, 60), steps = dice_roll(dice, STEPS_MAX);

	names_make();
	fake_host_init(&world.host);
	world.host.threads.guarded = true;	/* it outlives no life */
	fake_conns_use(&world.conns);
	world.conns.binds_names = dice_chance(dice, 50);
	for (int i = 0; i < NAMES; i++)
		names[i].exists = dice_chance(dice, 50);
	pool_open(&world, &world.pools[0]);
	while (steps-- > 0)
		step(&world, percent_bad);
	if (dice_chance(dice, 80))
		recover(&world);
	for (size_t i = 0; i < POOLS_MAX; i++)
		pool_close(&world, &world.pools[i]);
	MUST("no connection outlives its store", world.conns.conns == NULL);
	MUST("no timer is left", fake_host_timers(&world.host) == 0);
	MUST("no watch is left", fake_host_watches(&world.host) == 0);
	MUST("nobody waits", world.waiting == 0);
	fake_host_free(&world.host);
}

int main(int argc, char **argv)
{
	return simulation_main(argc, argv, life, 50000);
}
