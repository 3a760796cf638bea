/* SPDX-License-Identifier: MIT */
/* Clients that make us wait: for the rest of a request, or until they read a reply. */
#include "tests/unit/unit.h"

#include <sys/socket.h>
#include <unistd.h>

#include "postfix-policy/client.h"
#include "tests/fakes/fake-host.h"

enum {
	PATIENCE = 30000,
	SOON = 25000,		/* ms; less than PATIENCE, more than half of it */
	SWEEP = 5000,		/* ms until it is noticed, at the latest */
	REPLY = 100000,		/* bytes */
	ASKED = 10		/* replies, more than a socket takes */
};

static struct fake_host fake;
static struct clients *clients;
static struct client *client;
static int ours, theirs;
static bool closed;

/* "q." is a request that is answered with many bytes, "s." with one. */
static long on_request(void *arg, const char *bytes, size_t len, const char **why)
{
	(void)arg;
	(void)why;
	if (len < 2)
		return 0;
	for (size_t i = 0; i < (*bytes == 'q' ? REPLY : 1); i++)
		buf_puts(client_output(client), "r");
	client_reply_done(client);
	return 2;
}

static void on_closed(void *arg)
{
	(void)arg;
	closed = true;
}

static const struct client_handler handler = {
	.name = "test", .request_max = 100, .request = on_request, .closed = on_closed
};

static int setup(void **state)
{
	int pair[2];

	(void)state;
	fake_host_init(&fake);
	clients = clients_new(&fake.host, 1, PATIENCE);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0)
		return -1;
	ours = pair[0];
	theirs = pair[1];
	closed = false;
	client = client_new(clients, ours, &handler, NULL);
	return 0;
}

static int teardown(void **state)
{
	clients_free(&clients);
	close(theirs);
	fake_host_free(&fake);
	return unit_teardown(state);
}

static void they_send(const char *bytes)
{
	assert_int_equal(write(theirs, bytes, strlen(bytes)), strlen(bytes));
	assert_true(fake_host_ready(&fake, ours, MUM_READ));
}

static void they_ask_for_more_than_fits(void)
{
	for (int i = 0; i < ASKED; i++)
		they_send("q.");
}

/* Reads up to `count` bytes of what has come; returns how many. */
static size_t they_read(size_t count)
{
	char bytes[4096];
	size_t total = 0;
	ssize_t got;

	do {
		size_t want = count - total < sizeof(bytes) ? count - total : sizeof(bytes);

		got = read(theirs, bytes, want);
		if (got > 0)
			total += (size_t)got;
		else if (!closed && fake_host_ready(&fake, ours, MUM_WRITE))
			got = 1;
	} while (got > 0 && total < count);
	return total;
}

static void one_that_reads_no_reply_makes_room_in_the_end(void **state)
{
	(void)state;
	they_ask_for_more_than_fits();
	fake_host_advance(&fake, SOON);
	WANT("not at once", !closed);
	fake_host_advance(&fake, PATIENCE - SOON + SWEEP);
	WANT("it is closed", closed);
	WANT_NUMBER("a line says why",
		    fake_host_logged(&fake, MUM_LOG_WARNING, "did not read its reply"), 1);
	WANT_NUMBER("counted", clients_counts(clients).bad, 1);
}

static void reading_some_of_a_reply_does_not_prolong_it(void **state)
{
	(void)state;
	they_ask_for_more_than_fits();
	fake_host_advance(&fake, SOON);
	they_read(1);
	fake_host_ready(&fake, ours, MUM_WRITE);
	fake_host_advance(&fake, PATIENCE - SOON + SWEEP);
	WANT("it is closed", closed);
}

static void one_that_reads_late_begins_anew_each_time(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++) {
		they_ask_for_more_than_fits();
		fake_host_advance(&fake, SOON);
		WANT_NUMBER("all is there", they_read(ASKED * REPLY), ASKED * REPLY);
	}
	fake_host_advance(&fake, 10 * PATIENCE);
	WANT("and may be idle as long as it likes", !closed);
}

static void a_request_that_trickles_in_is_not_waited_for_without_end(void **state)
{
	(void)state;
	they_send("s.q");
	fake_host_advance(&fake, SOON);
	WANT("not at once", !closed);
	/* No further byte has come, but the loop had a turn. */
	fake_host_ready(&fake, ours, MUM_READ);
	fake_host_advance(&fake, PATIENCE - SOON + SWEEP);
	WANT("it is closed", closed);
	WANT_NUMBER("a line says why",
		    fake_host_logged(&fake, MUM_LOG_WARNING, "not complete in time"), 1);
}

#define CLIENT_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLIENT_TEST(one_that_reads_no_reply_makes_room_in_the_end),
		CLIENT_TEST(reading_some_of_a_reply_does_not_prolong_it),
		CLIENT_TEST(one_that_reads_late_begins_anew_each_time),
		CLIENT_TEST(a_request_that_trickles_in_is_not_waited_for_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
