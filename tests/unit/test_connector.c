/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/store-mariadb/connector.h"
#include "tests/fakes/fake-host.h"

/* A server that accepts connections and sends nothing. */
struct setup {
	struct fake_host fake;
	int listening;
	char name[40];		/* as in database.hosts */
	bool tls;
	unsigned calls;
	unsigned error_number;
	char error_text[CONNECTOR_ERROR_SIZE];
};

/* What libmariadb says it does TLS with. */
static const char *tls_library;

/* In place of libmariadb's, which we link later. */
my_bool mariadb_get_infov(MYSQL *mysql, enum mariadb_value value, void *arg, ...)
{
	(void)mysql;
	WANT_NUMBER("asks for nothing else", value, MARIADB_TLS_LIBRARY);
	*(const char **)arg = tls_library;
	return 0;
}

static void set_up(struct setup *setup)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);

	memset(setup, 0, sizeof(*setup));
	mysql_library_init(0, NULL, NULL);
	fake_host_init(&setup->fake);
	setup->listening = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(setup->listening, (struct sockaddr *)&address, size) < 0 ||
	    listen(setup->listening, 100) < 0 ||
	    getsockname(setup->listening, (struct sockaddr *)&address, &size) < 0)
		abort();
	snprintf(setup->name, sizeof(setup->name), "127.0.0.1:%u", ntohs(address.sin_port));
}

/* Breaks connections that wait for a greeting, so the threads end. */
static void stop_listening(struct setup *setup)
{
	if (setup->listening >= 0)
		close(setup->listening);
	setup->listening = -1;
}

static bool all_end(struct setup *setup)
{
	for (int tries = 0; tries < 10000; tries++) {
		if (!threads_run(&setup->fake.threads))
			return true;
		poll(NULL, 0, 1);
	}
	return false;
}

static void tear_down(struct setup *setup)
{
	stop_listening(setup);
	WANT("no thread stays", all_end(setup));
	WANT_NUMBER("no watch stays", fake_host_watches(&setup->fake), 0);
	fake_host_free(&setup->fake);
}

static void on_done(MYSQL *mysql, const struct collations *collations,
		    unsigned error_number, const char *error_text, void *arg)
{
	struct setup *setup = arg;

	(void)collations;
	WANT("no connection", mysql == NULL);
	WANT("a text", error_text[0] != '\0');
	setup->calls++;
	setup->error_number = error_number;
	strncpy(setup->error_text, error_text, sizeof(setup->error_text) - 1);
}

static struct connector *start(struct setup *setup)
{
	const struct connector_settings settings = {
		.host = setup->name, .user = "u", .password = "p", .database = "d",
		.tls = setup->tls, .tls_ca = "", .timeout_ms = 5000,
	};

	return connector_start(&setup->fake.host, &settings, on_done, setup);
}

/* Waits until the thread has made a connection. */
static void wait_connected(struct setup *setup)
{
	struct pollfd pollfd = { .fd = setup->listening, .events = POLLIN };

	WANT_NUMBER("connects", poll(&pollfd, 1, 5000), 1);
}

static void start_and_fail(struct setup *setup)
{
	struct pollfd done = { .events = POLLIN };

	WANT("starts", start(setup) != NULL);
	done.fd = fake_host_watched(&setup->fake);
	WANT_NUMBER("the thread is done", poll(&done, 1, 5000), 1);
	WANT_NUMBER("not from the thread", setup->calls, 0);
	WANT("from the loop", fake_host_ready(&setup->fake, done.fd, MUM_READ));
	WANT_NUMBER("once", setup->calls, 1);
}

static void test_a_failure_is_told_once(void **state)
{
	struct setup setup;

	(void)state;
	set_up(&setup);
	stop_listening(&setup);
	start_and_fail(&setup);
	WANT("refused", setup.error_number == 2002 || setup.error_number == 2003);
	tear_down(&setup);
}

/* Nobody knows what another library would accept. */
static void test_tls_needs_openssl(void **state)
{
	static const struct {
		const char *library, *told;
	} rows[] = {
		{ "GnuTLS 3.8.9", "has GnuTLS 3.8.9" },
		{ "OpenSSLish 1", "has OpenSSLish 1" },
		{ "", "has none" },
	};
	struct setup setup;

	(void)state;
	FOR_EACH_ROW (row, rows) {
		struct pollfd asked;

		tls_library = row->library;
		set_up(&setup);
		setup.tls = true;
		start_and_fail(&setup);
		asked = (struct pollfd){ .fd = setup.listening, .events = POLLIN };
		WANT_NUMBER(row->library, setup.error_number, 2026);
		WANT(row->library, strstr(setup.error_text, row->told) != NULL);
		WANT_NUMBER("the server is not asked", poll(&asked, 1, 0), 0);
		tear_down(&setup);
	}
}

static void test_tls_with_openssl_is_tried(void **state)
{
	struct setup setup;
	struct connector *connector;

	(void)state;
	tls_library = "OpenSSL 3.0.0 7 sep 2021";
	set_up(&setup);
	setup.tls = true;
	connector = start(&setup);
	wait_connected(&setup);
	connector_cancel(&connector);
	tear_down(&setup);
}

/*
 * The thread may be anywhere when the cancel comes. ThreadSanitizer and
 * AddressSanitizer watch what both do to the connector.
 */
static void test_cancel_while_the_thread_waits(void **state)
{
	struct setup setup;

	(void)state;
	for (int round = 0; round < 20; round++) {
		struct connector *connector;

		set_up(&setup);
		connector = start(&setup);
		wait_connected(&setup);
		connector_cancel(&connector);
		WANT("set to NULL", connector == NULL);
		WANT("the thread goes on", threads_run(&setup.fake.threads));
		tear_down(&setup);
		WANT_NUMBER("is never called", setup.calls, 0);
	}
}

static void test_cancel_while_the_thread_ends(void **state)
{
	struct setup setup;

	(void)state;
	for (int round = 0; round < 100; round++) {
		struct connector *connector;

		set_up(&setup);
		connector = start(&setup);
		wait_connected(&setup);
		stop_listening(&setup);
		usleep((useconds_t)(round * 20));
		connector_cancel(&connector);
		tear_down(&setup);
		WANT_NUMBER("is never called", setup.calls, 0);
	}
}

static void test_cancel_after_the_end(void **state)
{
	struct setup setup;
	struct connector *connector;

	(void)state;
	set_up(&setup);
	stop_listening(&setup);
	connector = start(&setup);
	poll(NULL, 0, 50);
	connector_cancel(&connector);
	tear_down(&setup);
	WANT_NUMBER("is never called", setup.calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_a_failure_is_told_once),
		UNIT_TEST(test_tls_needs_openssl),
		UNIT_TEST(test_tls_with_openssl_is_tried),
		UNIT_TEST(test_cancel_while_the_thread_waits),
		UNIT_TEST(test_cancel_while_the_thread_ends),
		UNIT_TEST(test_cancel_after_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
