/* SPDX-License-Identifier: MIT */
/*
 * The SQLite store while another process locks the file. Only the test decides when to
 * cancel a question; mumd does so late, and Dovecot at any time. The file is empty, so
 * an answer is "no such table".
 */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/config.h"
#include "common/stats.h"
#include "common/store.h"
#include "tests/fakes/fake-host.h"
#include "tests/unit/scratch.h"

enum { PATIENCE = 250 };	/* ms; half of the deadline is longer here */

static struct scratch scratch;
static struct fake_host fake;
static struct mum_config config;
static struct mum_host_stats stats;
static struct store *store;
static char *path;
static size_t answers;

static int setup(void **state)
{
	(void)state;
	scratch_init(&scratch);
	path = scratch_file(&scratch, "mum.sqlite", 0600, "", 0);
	fake_host_init(&fake);
	memset(&config, 0, sizeof(config));
	memset(&stats, 0, sizeof(stats));
	config.database.path = path;
	config.database.deadline = 2000;
	config.mum.timezone = "UTC";
	store = store_sqlite_open(&fake.host, &config, &stats);
	answers = 0;
	return 0;
}

static int teardown(void **state)
{
	store->ops->close(store);
	fake_host_free(&fake);
	free(path);
	scratch_free(&scratch);
	return unit_teardown(state);
}

/* Locks what a writer of SQLite locks: see SQLite's "File Locking And Concurrency". */
static pid_t lock_file(void)
{
	const struct flock lock = { .l_type = F_WRLCK, .l_start = 0x40000000, .l_len = 512 };
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		int fd = open(path, O_RDWR);

		if (fd < 0 || fcntl(fd, F_SETLK, &lock) != 0 || write(ends[1], "", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return pid;
}

static void unlock_file(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void on_answer(enum mum_status status, struct facts *facts, const char *reason, void *arg)
{
	(void)facts;
	(void)reason;
	(void)arg;
	WANT_NUMBER("an empty file has no tables", status, MUM_MISCONFIGURED);
	answers++;
}

static struct store_request *ask(void)
{
	const struct question question = { .kind = MUM_USERS };

	return store->ops->submit(store, &question, on_answer, NULL);
}

static size_t told(void)
{
	return fake_host_logged(&fake, MUM_LOG_ERROR, "a writer keeps it locked");
}

static void a_lock_that_lasts_is_told_of_once(void **state)
{
	pid_t writer = lock_file();

	(void)state;
	ask();
	fake_host_advance(&fake, PATIENCE - 20);
	WANT("not yet", told() == 0 && store->up);
	fake_host_advance(&fake, 40);
	WANT("now", told() == 1 && !store->up);
	fake_host_advance(&fake, 10000);
	WANT_NUMBER("lines", told(), 1);
	WANT_NUMBER("errors", stats.errors[ERROR_SLOW], 1);
	WANT_NUMBER("of another kind", stats.errors[ERROR_LOST], 0);
	WANT_NUMBER("answers", answers, 0);
	unlock_file(writer);
	fake_host_advance(&fake, 20);
	WANT_NUMBER("answers, without the lock", answers, 1);
}

static void two_short_locks_are_not_one_long_one(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		pid_t writer = lock_file();
		struct store_request *request = ask();

		fake_host_advance(&fake, PATIENCE / 2);
		store->ops->withdraw(store, request);
		unlock_file(writer);
		fake_host_advance(&fake, 60000);
	}
	WANT_NUMBER("lines", told(), 0);
	WANT_NUMBER("errors", stats.errors[ERROR_SLOW], 0);
	WANT("it is up", store->up);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_lock_that_lasts_is_told_of_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(two_short_locks_are_not_one_long_one, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
