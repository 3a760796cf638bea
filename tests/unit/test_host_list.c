/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "common/store-mariadb/errors.h"
#include "common/store-mariadb/host-list.h"
#include "tests/fakes/fake-host.h"

static const char *const names[] = { "unix:/a", "b:3306", "c" };
static const struct mum_list three = { 3, names };
static const struct conn_error lost = { ERROR_LOST, false, 2002, "connection refused" };
static const struct conn_error silent = { ERROR_LOST, false, 2013, "no answer in time" };
static const struct conn_error no_tls = { ERROR_MISCONFIGURED, false, 2026, "TLS" };
static const struct conn_error denied = { ERROR_MISCONFIGURED, false, 1045, "denied" };

struct setup {
	struct fake_host fake;
	struct host_list *list;
};

static void set_up(struct setup *setup)
{
	fake_host_init(&setup->fake);
	setup->list = host_list_new(&setup->fake.host, &three);
}

static void tear_down(struct setup *setup)
{
	host_list_free(&setup->list);
	WANT("set to NULL", setup->list == NULL);
	host_list_free(&setup->list);
	fake_host_free(&setup->fake);
}

static void test_first_host_first(void **state)
{
	struct setup setup;
	size_t index = 9;
	unsigned wait = 9;

	(void)state;
	set_up(&setup);
	WANT_NUMBER("all of them", host_list_count(setup.list), 3);
	WANT_TEXT("by name", host_list_name(setup.list, 1), "b:3306");
	WANT("the first", host_list_pick(setup.list, &index, &wait) && index == 0);
	host_list_failed(setup.list, 0, &lost);
	WANT("then the second", host_list_pick(setup.list, &index, &wait) && index == 1);
	WANT("may not be tried", !host_list_may_try(setup.list, 0));
	WANT("may be tried", host_list_may_try(setup.list, 1));
	host_list_failed(setup.list, 1, &lost);
	WANT("then the third", host_list_pick(setup.list, &index, &wait) && index == 2);
	host_list_works(setup.list, 0);
	WANT("back to the first", host_list_pick(setup.list, &index, &wait) && index == 0);
	tear_down(&setup);
}

static void test_waits_for_the_soonest(void **state)
{
	struct setup setup;
	size_t index = 9;
	unsigned wait = 0;

	(void)state;
	set_up(&setup);
	host_list_failed(setup.list, 0, &denied);
	host_list_failed(setup.list, 1, &denied);
	host_list_failed(setup.list, 2, &lost);
	WANT("none may be tried", !host_list_pick(setup.list, &index, &wait));
	WANT("the third is the soonest", wait > 0 && wait <= 50);
	fake_host_advance(&setup.fake, wait - 1);
	WANT("a millisecond early", !host_list_pick(setup.list, &index, &wait));
	WANT_NUMBER("a millisecond is left", wait, 1);
	fake_host_advance(&setup.fake, 1);
	WANT("now", host_list_pick(setup.list, &index, &wait) && index == 2);
	tear_down(&setup);
}

static void test_silent_hosts_leave_turns_to_the_others(void **state)
{
	struct setup setup;
	unsigned tried[3] = { 0 }, wait;
	size_t index;

	(void)state;
	set_up(&setup);
	for (size_t i = 0; i < 30; i++) {
		while (!host_list_pick(setup.list, &index, &wait))
			fake_host_advance(&setup.fake, wait);
		tried[index]++;
		fake_host_advance(&setup.fake, 1000);	/* as long as a connection may take */
		host_list_failed(setup.list, index, &lost);
	}
	WANT_NUMBER("the first", tried[0], 10);
	WANT_NUMBER("the second", tried[1], 10);
	WANT_NUMBER("the third", tried[2], 10);
	tear_down(&setup);
}

/* How long the first host is left alone after one more failure. */
static unsigned wait_after(struct setup *setup, const struct conn_error *error)
{
	unsigned ms = 0;

	host_list_failed(setup->list, 0, error);
	while (!host_list_may_try(setup->list, 0)) {
		fake_host_advance(&setup->fake, 1);
		ms++;
	}
	return ms;
}

static void test_back_off_doubles_with_jitter(void **state)
{
	static const unsigned most[] = { 50, 100, 200, 400, 500, 500, 500 };
	struct setup setup;
	bool differs = false;
	unsigned before = 0;

	(void)state;
	set_up(&setup);
	FOR_EACH_ROW(ms, most) {
		unsigned wait = wait_after(&setup, &lost);

		WANT("at most that", wait <= *ms);
		WANT("at least three quarters of it", wait >= *ms - *ms / 4);
	}
	for (int i = 0; i < 20; i++) {
		unsigned wait = wait_after(&setup, &lost);

		differs = differs || (before != 0 && wait != before);
		before = wait;
	}
	WANT("never twice the same for ever", differs);
	host_list_works(setup.list, 0);
	WANT("from the start again", wait_after(&setup, &lost) <= 50);
	tear_down(&setup);
}

static void test_refused_waits_longer(void **state)
{
	struct setup setup;
	unsigned wait;

	(void)state;
	set_up(&setup);
	for (int i = 0; i < 3; i++) {
		wait = wait_after(&setup, &denied);
		WANT("servers block hosts that try too often",
		     wait >= 1500 && wait <= 2000);
	}
	tear_down(&setup);
}

static void test_what_a_restart_looks_like_waits_longer_when_it_lasts(void **state)
{
	struct setup setup;

	(void)state;
	set_up(&setup);
	for (int i = 0; i < 6; i++)
		WANT("as for a lost connection", wait_after(&setup, &no_tls) <= 500);
	WANT("then as for a wrong password", wait_after(&setup, &no_tls) >= 1500);
	tear_down(&setup);
}

static void test_two_log_lines_per_trouble(void **state)
{
	struct setup setup;
	struct fake_host *fake = &setup.fake;

	(void)state;
	set_up(&setup);
	host_list_works(setup.list, 0);
	WANT_NUMBER("no trouble, no line", fake->log_count, 0);
	for (int i = 0; i < 10; i++)
		wait_after(&setup, &lost);
	WANT_NUMBER("once at the start", fake->log_count, 1);
	WANT_NUMBER("a warning with name, reason and number",
		    fake_host_logged(fake, MUM_LOG_WARNING,
				     "database unix:/a: connection refused (2002)"), 1);
	fake_host_clear_log(fake);
	fake_host_advance(fake, 5000);
	host_list_works(setup.list, 0);
	host_list_works(setup.list, 0);
	WANT_NUMBER("once at the end", fake->log_count, 1);
	WANT_NUMBER("which says so",
		    fake_host_logged(fake, MUM_LOG_INFO, "database unix:/a: answers again after"),
		    1);
	fake_host_clear_log(fake);
	host_list_failed(setup.list, 0, &denied);
	WANT_NUMBER("the next trouble is logged anew; one to be fixed is an error",
		    fake_host_logged(fake, MUM_LOG_ERROR, "denied (1045)"), 1);
	tear_down(&setup);
}

static void test_what_an_admin_must_mend_is_told_in_the_midst_of_trouble(void **state)
{
	static const struct {
		const char *what;
		const struct conn_error *first, *then;
		size_t times;
		unsigned errors;
	} rows[] = {
		{ "a password that changed while the server was away", &lost, &denied, 3, 1 },
		{ "TLS that is refused while a server restarts", &lost, &no_tls, 3, 0 },
		{ "TLS that is refused for good", &lost, &no_tls, 9, 1 },
		{ "a wrong password, told at once", &denied, &denied, 3, 1 },
		{ "a wrong password, then no server", &denied, &lost, 3, 1 },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct setup setup;

		set_up(&setup);
		host_list_failed(setup.list, 0, row->first);
		for (size_t i = 0; i < row->times; i++)
			host_list_failed(setup.list, 0, row->then);
		WANT_NUMBER(row->what, fake_host_logged(&setup.fake, MUM_LOG_ERROR, "database"),
			    row->errors);
		WANT(row->what, setup.fake.log_count <= 2);
		host_list_works(setup.list, 0);
		fake_host_clear_log(&setup.fake);
		host_list_failed(setup.list, 0, &denied);
		WANT_NUMBER("the next trouble is told anew",
			    fake_host_logged(&setup.fake, MUM_LOG_ERROR, "denied"), 1);
		tear_down(&setup);
	}
}

static void test_each_host_has_its_own_trouble(void **state)
{
	struct setup setup;

	(void)state;
	set_up(&setup);
	host_list_failed(setup.list, 0, &lost);
	host_list_failed(setup.list, 1, &lost);
	WANT_NUMBER("both are logged", setup.fake.log_count, 2);
	host_list_works(setup.list, 1);
	WANT_NUMBER("one is over",
		    fake_host_logged(&setup.fake, MUM_LOG_INFO, "database b:3306: answers"), 1);
	WANT("the other is not", !host_list_may_try(setup.list, 0));
	tear_down(&setup);
}

static void test_silence_from_elsewhere_may_be_the_sandbox(void **state)
{
	struct setup setup;

	(void)state;
	set_up(&setup);
	host_list_failed(setup.list, 0, &silent);
	host_list_failed(setup.list, 2, &lost);
	WANT_NUMBER("not on this machine, and not where somebody answered",
		    fake_host_logged(&setup.fake, MUM_LOG_WARNING, "IPAddressAllow="), 0);
	host_list_failed(setup.list, 1, &silent);
	WANT_NUMBER("the option is named",
		    fake_host_logged(&setup.fake, MUM_LOG_WARNING, "IPAddressAllow="), 1);
	tear_down(&setup);
}

static void test_a_login_that_verify_ca_does_not_allow_names_verify_full(void **state)
{
	static const struct conn_error plugin = { ERROR_MISCONFIGURED, false, ERROR_PLUGIN, "no" };
	struct setup setup;

	(void)state;
	set_up(&setup);
	host_list_failed(setup.list, 1, &plugin);
	WANT_NUMBER("the option and its value",
		    fake_host_logged(&setup.fake, MUM_LOG_ERROR, "tls = \"verify-full\""), 1);
	tear_down(&setup);
}

static void test_a_suspect_is_no_trouble(void **state)
{
	static const struct mum_list one = { 1, names };
	struct setup setup;
	struct host_list *alone;
	size_t index = 9;
	unsigned wait = 0;

	(void)state;
	set_up(&setup);
	host_list_suspect(setup.list, 0);
	WANT("another host first", host_list_pick(setup.list, &index, &wait) && index == 1);
	WANT_NUMBER("nothing is logged", setup.fake.log_count, 0);
	fake_host_advance(&setup.fake, 500);
	WANT("for a while", host_list_pick(setup.list, &index, &wait) && index == 0);
	host_list_works(setup.list, 0);
	WANT_NUMBER("nor at the end", setup.fake.log_count, 0);
	alone = host_list_new(&setup.fake.host, &one);
	host_list_suspect(alone, 0);
	WANT("unless there is no other", host_list_may_try(alone, 0));
	host_list_free(&alone);
	tear_down(&setup);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_first_host_first),
		UNIT_TEST(test_waits_for_the_soonest),
		UNIT_TEST(test_silent_hosts_leave_turns_to_the_others),
		UNIT_TEST(test_back_off_doubles_with_jitter),
		UNIT_TEST(test_refused_waits_longer),
		UNIT_TEST(test_what_a_restart_looks_like_waits_longer_when_it_lasts),
		UNIT_TEST(test_two_log_lines_per_trouble),
		UNIT_TEST(test_silence_from_elsewhere_may_be_the_sandbox),
		UNIT_TEST(test_a_login_that_verify_ca_does_not_allow_names_verify_full),
		UNIT_TEST(test_a_suspect_is_no_trouble),
		UNIT_TEST(test_what_an_admin_must_mend_is_told_in_the_midst_of_trouble),
		UNIT_TEST(test_each_host_has_its_own_trouble),
	};

	return cmocka_run_group_tests_name("host list", tests, NULL, NULL);
}
