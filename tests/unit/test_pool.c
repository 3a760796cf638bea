/* SPDX-License-Identifier: MIT */
/*
 * When the MariaDB store connects, with connections that are a fake's. What it makes of
 * a server's errors is tested on a real one (tests/stack), and by tests/simulation.
 */
#include "tests/unit/unit.h"

#include "common/config.h"
#include "common/stats.h"
#include "common/store.h"
#include "tests/fakes/fake-conn.h"
#include "tests/fakes/fake-host.h"

struct bench {
	struct fake_host host;
	struct fake_conns conns;
	struct mum_config config;
	struct mum_host_stats stats[2];
	struct store *store;
	struct address *domain;
	struct store_request *request;
};

static const char *const hosts[] = { "one.test", "two.test" };

static void bench_open(struct bench *bench, size_t hosts_count)
{
	memset(bench, 0, sizeof(*bench));
	fake_host_init(&bench->host);
	bench->host.threads.guarded = true;	/* it ends with the test */
	fake_conns_use(&bench->conns);
	bench->config.database.hosts = (struct mum_list){ hosts_count, hosts };
	bench->config.database.user = bench->config.database.password = "";
	bench->config.database.name = bench->config.database.tls_ca = "";
	bench->config.database.connections = 1;
	bench->config.database.deadline = 2000;
	bench->config.mum.timezone = "UTC";
	bench->store = store_mariadb_open(&bench->host.host, &bench->config, bench->stats);
	bench->domain = address_new(ADDRESS_DOMAIN, "d", 1, "");
}

static void on_done(enum mum_status status, struct facts *facts, const char *reason, void *arg)
{
	struct bench *bench = arg;

	(void)facts;
	(void)reason;
	bench->request = NULL;
	WANT_NUMBER("nobody has answered", status, MUM_TEMPFAIL);
}

static void bench_ask(struct bench *bench)
{
	const struct question question = { MUM_DOMAIN, bench->domain, 0 };

	bench->request = bench->store->ops->submit(bench->store, &question, on_done, bench);
}

static void bench_close(struct bench *bench)
{
	if (bench->request != NULL)
		bench->store->ops->withdraw(bench->store, bench->request);
	bench->store->ops->close(bench->store);
	address_unref(&bench->domain);
	WANT_NUMBER("no timer is left", fake_host_timers(&bench->host), 0);
	WANT("no connection is left", bench->conns.conns == NULL);
	fake_host_free(&bench->host);
}

/* However many hosts there are: a question that waits has a timer that goes on with it. */
static void test_no_thread_is_no_end(void **state)
{
	(void)state;
	for (size_t count = 1; count <= ARRAY_LEN(hosts); count++) {
		struct bench bench;

		bench_open(&bench, count);
		bench.conns.no_thread = true;
		bench_ask(&bench);
		fake_host_settle(&bench.host, 20);
		WANT("no connection", bench.conns.conns == NULL && bench.request != NULL);
		bench.conns.no_thread = false;
		fake_host_advance(&bench.host, 1000);
		WANT("tried again by itself", bench.conns.conns != NULL);
		bench_close(&bench);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_no_thread_is_no_end),
	};

	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
