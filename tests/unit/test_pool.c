/* SPDX-License-Identifier: MIT */
/*
 * When the MariaDB store connects and to which host, what it asks on which connection, and
 * when it is down; with fake connections. tests/stack tests what servers really say, and
 * tests/simulation what happens in any order.
 */
#include "tests/unit/unit.h"

#include "common/config.h"
#include "common/stats.h"
#include "common/store.h"
#include "tests/fakes/fake-conn.h"
#include "tests/fakes/fake-host.h"

enum { ASKED_MAX = 16, DEADLINE = 2000, CROWDED_WAIT = 5000 };	/* ms */

/* Errors of a server. */
enum { CROWDED = 1040, SHUTDOWN = 1053, LOST = 2013, GARBLED = 1105 };

/* A question, and what came of it. */
struct asked {
	struct address *address;
	struct store_request *request;	/* NULL once answered */
	size_t calls;
	enum mum_status status;
};

struct bench {
	struct fake_host host;
	struct fake_conns conns;
	struct mum_config config;
	struct mum_host_stats stats[2];
	struct store *store;
	struct asked asked[ASKED_MAX];
	size_t asked_count;
};

static const char *const hosts[] = { "one.test", "two.test" };

static void bench_open(struct bench *bench, size_t hosts_count, unsigned connections)
{
	memset(bench, 0, sizeof(*bench));
	fake_host_init(&bench->host);
	bench->host.threads.guarded = true;	/* it ends with the test */
	fake_conns_use(&bench->conns);
	bench->config.database.hosts = (struct mum_list){ hosts_count, hosts };
	bench->config.database.user = bench->config.database.password = "";
	bench->config.database.name = bench->config.database.tls_ca = "";
	bench->config.database.connections = connections;
	bench->config.database.deadline = DEADLINE;
	bench->config.mum.timezone = "UTC";
	bench->store = store_mariadb_open(&bench->host.host, &bench->config, bench->stats);
}

static void on_done(enum mum_status status, struct facts *facts, const char *reason, void *arg)
{
	struct asked *asked = arg;

	WANT("facts or a reason", (facts != NULL) == (status == MUM_FOUND) &&
					  (reason == NULL) == (status == MUM_FOUND));
	asked->request = NULL;
	asked->calls++;
	asked->status = status;
}

static struct asked *bench_ask(struct bench *bench, enum question_kind kind)
{
	struct asked *asked = &bench->asked[bench->asked_count++];
	char key[] = "0@d";

	key[0] = (char)('a' + bench->asked_count);
	asked->address = kind == MUM_DOMAIN ? address_new(ADDRESS_DOMAIN, key, 1, "")
					    : address_new(ADDRESS_MAIL, key, 3, "+");
	asked->request = bench->store->ops->submit(
		bench->store, &(struct question){ kind, asked->address, 0 }, on_done, asked);
	return asked;
}

static void bench_close(struct bench *bench)
{
	for (size_t i = 0; i < bench->asked_count; i++) {
		if (bench->asked[i].request != NULL)
			bench->store->ops->withdraw(bench->store, bench->asked[i].request);
		address_unref(&bench->asked[i].address);
	}
	bench->store->ops->close(bench->store);
	WANT_NUMBER("no timer is left", fake_host_timers(&bench->host), 0);
	WANT("no connection is left", bench->conns.conns == NULL);
	fake_host_free(&bench->host);
}

/* The connection with this number, in their order from 0; NULL if it is gone. */
static struct conn *conn_of(const struct bench *bench, unsigned number)
{
	struct conn *conn = bench->conns.conns;

	while (conn != NULL && conn->number != number)
		conn = conn->next;
	return conn;
}

static bool no_rows(const struct conn *conn, size_t index, struct column *columns, void *arg)
{
	(void)conn;
	(void)index;
	(void)columns;
	(void)arg;
	return false;
}

static void answer(struct bench *bench, unsigned number)
{
	fake_conn_result(conn_of(bench, number), no_rows, NULL, 1);
	fake_host_settle(&bench->host, 5);
}

static void lose(struct bench *bench, unsigned number, unsigned error)
{
	fake_conn_error(conn_of(bench, number), error, "an error");
	fake_host_settle(&bench->host, 5);
}

/* Asks, and connects if the store wants to. */
static struct asked *ask_and_connect(struct bench *bench, enum question_kind kind)
{
	struct asked *asked = bench_ask(bench, kind);
	struct conn *conn;

	fake_host_settle(&bench->host, 5);
	for (conn = bench->conns.conns; conn != NULL; conn = conn->next) {
		if (conn->state == FAKE_CONN_CONNECTING)
			break;
	}
	if (conn != NULL)
		fake_conn_connect(conn);
	fake_host_settle(&bench->host, 5);
	return asked;
}

static bool is_busy_with(const struct bench *bench, unsigned number, enum question_kind kind)
{
	const struct conn *conn = conn_of(bench, number);

	return conn != NULL && conn->state == FAKE_CONN_BUSY && conn->kind == kind;
}

static bool is_up(const struct bench *bench)
{
	return bench->store->up;
}

/* ---- one connection ---- */

static void test_a_question_and_its_answer(void **state)
{
	struct bench bench;
	struct asked *asked;

	(void)state;
	bench_open(&bench, 1, 1);
	fake_host_advance(&bench.host, 10000);
	WANT("nobody asks, nobody connects", bench.conns.made == 0 && is_up(&bench));
	asked = bench_ask(&bench, MUM_DOMAIN);
	WANT("not from inside", bench.conns.made == 0);
	fake_host_settle(&bench.host, 5);
	WANT_NUMBER("one connection", bench.conns.made, 1);
	fake_conn_connect(conn_of(&bench, 0));
	WANT("asked as soon as it is up", is_busy_with(&bench, 0, MUM_DOMAIN));
	WANT_NUMBER("counted", bench.stats[0].connects, 1);
	answer(&bench, 0);
	WANT("answered", asked->calls == 1 && asked->status == MUM_FOUND);
	WANT_NUMBER("it stays", bench.stats[0].connections[MUM_IDLE], 1);
	bench_ask(&bench, MUM_DOMAIN);
	WANT("a lone question is asked at once", is_busy_with(&bench, 0, MUM_DOMAIN));
	bench_ask(&bench, MUM_OWNERS);
	fake_host_settle(&bench.host, 5);
	answer(&bench, 0);
	WANT("the next one when it is answered", is_busy_with(&bench, 0, MUM_OWNERS));
	WANT_NUMBER("there is only one connection", bench.conns.made, 1);
	bench_close(&bench);
}

static void test_the_time_is_a_parameter(void **state)
{
	struct bench bench;
	bool found = false;

	(void)state;
	bench_open(&bench, 1, 1);
	ask_and_connect(&bench, MUM_DELIVERY);
	for (int i = 0; i < PARAMS_MAX; i++) {
		const char *value = conn_of(&bench, 0)->values[i];

		found = found || (value != NULL && strcmp(value, "2026-01-01 00:00:00") == 0);
	}
	WANT("MUM's time", found);
	bench_close(&bench);
}

static void test_withdrawn(void **state)
{
	struct bench bench;
	struct asked *asked;

	(void)state;
	bench_open(&bench, 1, 1);
	asked = ask_and_connect(&bench, MUM_DOMAIN);
	bench.store->ops->withdraw(bench.store, asked->request);
	asked->request = NULL;
	answer(&bench, 0);
	WANT_NUMBER("no answer comes", asked->calls, 0);
	bench_close(&bench);
}

/* However many hosts there are, a timer goes on with a question that waits. */
static void test_no_thread_is_no_end(void **state)
{
	(void)state;
	for (size_t count = 1; count <= ARRAY_LEN(hosts); count++) {
		struct bench bench;

		bench_open(&bench, count, 1);
		bench.conns.no_thread = true;
		bench_ask(&bench, MUM_DOMAIN);
		fake_host_settle(&bench.host, 20);
		WANT("no connection", bench.conns.conns == NULL &&
					      bench.asked[0].request != NULL);
		bench.conns.no_thread = false;
		fake_host_advance(&bench.host, 1000);
		WANT("tried again by itself", bench.conns.conns != NULL);
		bench_close(&bench);
	}
}

/* ---- several connections ---- */

static void test_more_connections(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, 1, 3);
	ask_and_connect(&bench, MUM_DOMAIN);
	bench_ask(&bench, MUM_OWNERS);
	fake_host_settle(&bench.host, 5);
	WANT_NUMBER("another one while it is busy", bench.conns.made, 2);
	bench_ask(&bench, MUM_DELIVERY);
	fake_host_settle(&bench.host, 5);
	WANT_NUMBER("one at a time", bench.conns.made, 2);
	fake_conn_connect(conn_of(&bench, 1));
	fake_host_settle(&bench.host, 5);
	WANT("the oldest question first", is_busy_with(&bench, 1, MUM_OWNERS));
	WANT_NUMBER("the next one", bench.conns.made, 3);
	fake_conn_connect(conn_of(&bench, 2));
	bench_ask(&bench, MUM_NAME);
	fake_host_settle(&bench.host, 5);
	WANT_NUMBER("never more than may be", bench.conns.made, 3);
	bench_close(&bench);
}

/* A lock on one table must not stop the questions about the others. */
static void test_one_kind_never_takes_all(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, 1, 2);
	ask_and_connect(&bench, MUM_DOMAIN);
	ask_and_connect(&bench, MUM_DOMAIN);
	WANT("the last one is kept free", is_busy_with(&bench, 0, MUM_DOMAIN) &&
						  conn_of(&bench, 1)->state == FAKE_CONN_IDLE);
	bench_ask(&bench, MUM_OWNERS);
	WANT("those of one turn share a statement",
	     conn_of(&bench, 1)->state == FAKE_CONN_IDLE);
	fake_host_settle(&bench.host, 5);
	WANT("for another kind", is_busy_with(&bench, 1, MUM_OWNERS));
	answer(&bench, 0);
	WANT("then it is asked", is_busy_with(&bench, 0, MUM_DOMAIN));
	bench_close(&bench);

	bench_open(&bench, 1, 3);
	ask_and_connect(&bench, MUM_DOMAIN);
	ask_and_connect(&bench, MUM_DOMAIN);
	WANT("two of three", is_busy_with(&bench, 1, MUM_DOMAIN));
	bench_close(&bench);
}

static void test_a_crowded_server(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, 1, 2);
	bench.config.database.deadline = 10 * CROWDED_WAIT;
	ask_and_connect(&bench, MUM_DOMAIN);
	for (unsigned made = 2; made <= 3; made++) {
		bench_ask(&bench, MUM_OWNERS);
		fake_host_settle(&bench.host, 5);
		WANT_NUMBER("one more is tried", bench.conns.made, made);
		lose(&bench, made - 1, CROWDED);
		WANT("that is not down", is_up(&bench));
		WANT_NUMBER("said once", bench.host.log_count, 1);
		fake_host_advance(&bench.host, CROWDED_WAIT - 1);
		bench_ask(&bench, MUM_DELIVERY);
		fake_host_settle(&bench.host, 5);
		WANT_NUMBER("not for some time", bench.conns.made, made);
		fake_host_advance(&bench.host, 1);
	}
	WANT_NUMBER("which warns", fake_host_logged(&bench.host, MUM_LOG_WARNING,
						    "database one.test: an error (1040); "
						    "going on with fewer connections"), 1);
	ask_and_connect(&bench, MUM_DELIVERY);
	WANT_NUMBER("then there is room", fake_host_logged(&bench.host, MUM_LOG_INFO,
							   "has room for all"), 1);
	lose(&bench, 0, LOST);
	fake_conn_connect(conn_of(&bench, 4));
	WANT_NUMBER("which is said once, too", bench.host.log_count, 2);
	bench_close(&bench);
}

static void test_a_server_without_any_room(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, 1, 1);
	bench_ask(&bench, MUM_DOMAIN);
	fake_host_settle(&bench.host, 5);
	lose(&bench, 0, CROWDED);
	WANT("is down", !is_up(&bench));
	fake_host_advance(&bench.host, 1000);
	WANT("and is tried again soon", bench.conns.made > 1);
	bench_close(&bench);
}

/* ---- up or down ---- */

static void wait_for_timeout(struct bench *bench, unsigned number)
{
	for (int i = 0; i < 100 && conn_of(bench, number) != NULL; i++)
		fake_host_advance(&bench->host, 100);
	WANT("a timeout", conn_of(bench, number) == NULL);
}

static void test_up_or_down(void **state)
{
	struct bench bench;

	(void)state;
	bench_open(&bench, 1, 1);
	ask_and_connect(&bench, MUM_DOMAIN);
	answer(&bench, 0);
	lose(&bench, 0, LOST);
	WANT("an idle connection that ends means nothing", is_up(&bench));
	WANT_NUMBER("nobody asks, nobody connects", bench.conns.made, 1);
	ask_and_connect(&bench, MUM_DOMAIN);
	WANT("another one when somebody asks", is_busy_with(&bench, 1, MUM_DOMAIN));
	lose(&bench, 1, SHUTDOWN);
	WANT("nor does a busy one", is_up(&bench));
	fake_host_advance(&bench.host, 1000);
	fake_conn_connect(conn_of(&bench, 2));
	wait_for_timeout(&bench, 2);
	WANT("a timeout does", !is_up(&bench));
	fake_host_advance(&bench.host, 1000);
	fake_conn_connect(conn_of(&bench, 3));
	WANT("until it is connected again", is_up(&bench));
	bench_close(&bench);
}

static void test_it_tries_while_it_is_down(void **state)
{
	struct bench bench;
	struct asked *asked;

	(void)state;
	bench_open(&bench, 1, 1);
	asked = bench_ask(&bench, MUM_DOMAIN);
	fake_host_settle(&bench.host, 5);
	lose(&bench, 0, LOST);
	bench.store->ops->withdraw(bench.store, asked->request);
	asked->request = NULL;
	fake_host_advance(&bench.host, 1000);
	WANT("though nobody waits", !is_up(&bench) && conn_of(&bench, 1) != NULL);
	bench_close(&bench);
}

/* A question gives up after five statements; a dead connection does not count. */
static void test_attempts(void **state)
{
	static const struct {
		const char *name;
		bool answered;
		unsigned error;
		size_t want;		/* losses until it gives up */
	} rows[] = {
		{ "on new connections", false, LOST, 5 },
		{ "on one that had answered", true, LOST, 6 },
		{ "on a server that ends", true, SHUTDOWN, 5 },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct bench bench;
		struct asked *asked;
		size_t losses = 0;

		bench_open(&bench, 1, 1);
		if (row->answered) {
			ask_and_connect(&bench, MUM_DOMAIN);
			answer(&bench, 0);
		}
		asked = ask_and_connect(&bench, MUM_OWNERS);
		while (asked->calls == 0 && losses < 10) {
			struct conn *conn = bench.conns.conns;

			if (conn == NULL) {
				fake_host_advance(&bench.host, 500);
			} else if (conn->state == FAKE_CONN_CONNECTING) {
				fake_conn_connect(conn);
			} else {
				losses++;
				lose(&bench, conn->number, row->error);
			}
		}
		WANT_NUMBER(row->name, losses, row->want);
		WANT_NUMBER(row->name, asked->status, MUM_TEMPFAIL);
		bench_close(&bench);
	}
}

static void test_a_statement_that_fails_keeps_its_connection(void **state)
{
	struct bench bench;
	struct asked *asked;

	(void)state;
	bench_open(&bench, 1, 1);
	asked = ask_and_connect(&bench, MUM_DOMAIN);
	for (int i = 0; i < 5; i++) {
		WANT_NUMBER("it is tried again", asked->calls, 0);
		lose(&bench, 0, GARBLED);
	}
	WANT("then given up", asked->calls == 1 && asked->status == MUM_TEMPFAIL);
	WANT_NUMBER("each is counted", bench.stats[0].errors[ERROR_RETRY], 5);
	WANT_NUMBER("the connection is good", bench.stats[0].connections[MUM_IDLE], 1);
	bench_close(&bench);
}

/* ---- two hosts ---- */

static void test_the_next_host(void **state)
{
	(void)state;
	for (int busy = 0; busy < 2; busy++) {
		struct bench bench;

		bench_open(&bench, 2, 1);
		bench.config.database.deadline = 5 * DEADLINE;
		bench_ask(&bench, MUM_DOMAIN);
		fake_host_settle(&bench.host, 5);
		lose(&bench, 0, LOST);
		WANT_TEXT("the first host fails", conn_of(&bench, 1)->host_name, "two.test");
		fake_conn_connect(conn_of(&bench, 1));
		WANT_NUMBER("counted", bench.stats[1].connects, 1);
		if (!busy)
			answer(&bench, 1);
		fake_host_advance(&bench.host, 1000);
		WANT_TEXT("the first is looked for", conn_of(&bench, 2)->host_name, "one.test");
		fake_conn_connect(conn_of(&bench, 2));
		WANT("an idle connection to the second is given up",
		     (conn_of(&bench, 1) != NULL) == busy);
		if (busy)
			answer(&bench, 1);
		WANT("a busy one when it has answered", conn_of(&bench, 1) == NULL &&
								bench.asked[0].calls == 1);
		ask_and_connect(&bench, MUM_DOMAIN);
		WANT_TEXT("the first is asked", bench.conns.conns->host_name, "one.test");
		fake_host_advance(&bench.host, 1900);
		WANT("and nobody looks any more", bench.conns.conns->next == NULL);
		bench_close(&bench);
	}
}

static void test_a_host_that_hangs_or_ends(void **state)
{
	static const struct {
		const char *name;
		size_t hosts;
		unsigned error;		/* 0: no answer in time */
		bool left;		/* its other connections, too */
	} rows[] = {
		{ "it hangs", 2, 0, true },
		{ "it ends", 2, SHUTDOWN, true },
		{ "one connection is lost", 2, LOST, false },
		{ "it hangs, and there is no other", 1, 0, false },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct bench bench;

		bench_open(&bench, row->hosts, 3);
		ask_and_connect(&bench, MUM_DOMAIN);
		ask_and_connect(&bench, MUM_OWNERS);
		answer(&bench, 1);
		if (row->error == 0)
			wait_for_timeout(&bench, 0);
		else
			lose(&bench, 0, row->error);
		WANT(row->name, (conn_of(&bench, 1) == NULL) == row->left);
		WANT(row->name, row->left || is_busy_with(&bench, 1, MUM_DOMAIN));
		WANT_TEXT(row->name, bench.conns.conns->host_name,
			  row->left ? "two.test" : "one.test");
		bench_close(&bench);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_a_question_and_its_answer),
		UNIT_TEST(test_the_time_is_a_parameter),
		UNIT_TEST(test_withdrawn),
		UNIT_TEST(test_no_thread_is_no_end),
		UNIT_TEST(test_more_connections),
		UNIT_TEST(test_one_kind_never_takes_all),
		UNIT_TEST(test_a_crowded_server),
		UNIT_TEST(test_a_server_without_any_room),
		UNIT_TEST(test_up_or_down),
		UNIT_TEST(test_it_tries_while_it_is_down),
		UNIT_TEST(test_attempts),
		UNIT_TEST(test_a_statement_that_fails_keeps_its_connection),
		UNIT_TEST(test_the_next_host),
		UNIT_TEST(test_a_host_that_hangs_or_ends),
	};

	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
