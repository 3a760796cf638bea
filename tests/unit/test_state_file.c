/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/xalloc.h"
#include "postfix-policy/send/state-file.h"
#include "postfix-policy/send/state-saver.h"
#include "tests/fakes/fake-host.h"
#include "tests/unit/scratch.h"

static struct scratch scratch;
static char *path;

static int set_up(void **state)
{
	(void)state;
	scratch_init(&scratch);
	path = xasprintf("%s/state", scratch.path);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_free(&scratch);
	free(path);
	return 0;
}

/* "" when it cannot be read. Caller frees. */
static char *read_back(void)
{
	struct buf text = BUF_INIT(4096 + 65536);
	char *why = NULL;

	if (!state_file_read(path, &text, &why))
		buf_clear(&text);
	free(why);
	return buf_steal(&text);
}

static void want_state(const char *name, const char *want)
{
	char *got = read_back();

	WANT_TEXT(name, got, want);
	free(got);
}

static void write_state(const char *text)
{
	char *why = NULL;

	WANT(text, state_file_write(path, text, strlen(text), &why));
	WANT_TEXT(text, why, NULL);
	free(why);
}

static void test_there_and_back(void **state)
{
	struct stat status;

	(void)state;
	write_state("one\n");
	want_state("written", "one\n");
	assert_int_equal(chmod(path, 0644), 0);
	write_state("two, which is longer\n");
	want_state("replaced", "two, which is longer\n");
	assert_int_equal(stat(path, &status), 0);
	WANT_NUMBER("nobody else's", status.st_mode & 0777, 0600);
	write_state("");
	want_state("empty", "");
}

static void test_leftovers_are_no_obstacle(void **state)
{
	char *new = xasprintf("%s.new", path);

	(void)state;
	/* With a link, the bytes would go elsewhere. */
	assert_int_equal(symlink("/dev/full", new), 0);
	write_state("good\n");
	want_state("written", "good\n");
	WANT("the link is gone", access(new, F_OK) != 0);
	free(new);
}

static void test_what_cannot_be_read(void **state)
{
	struct buf text = BUF_INIT(65536);
	char *why = NULL, *large = unit_repeat("x", 70000);

	(void)state;
	unlink(path);
	WANT("no file", !state_file_read(path, &text, &why));
	WANT_TEXT("is no trouble", why, NULL);
	write_state(large);
	WANT("more than there may be", !state_file_read(path, &text, &why));
	WANT("why", why != NULL && strstr(why, "File too large") != NULL);
	free(why);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	WANT("a pipe, which would be waited for", !state_file_read(path, &text, &why));
	WANT("why", why != NULL && strstr(why, "Invalid argument") != NULL);
	free(why);
	unlink(path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	WANT("a link", !state_file_read(path, &text, &why));
	WANT("why", why != NULL);
	free(why);
	unlink(path);
	buf_free(&text);
	free(large);
}

static void test_what_cannot_be_written(void **state)
{
	char *bad = xasprintf("%s/none/state", scratch.path);
	char *why = NULL;

	(void)state;
	WANT("no folder", !state_file_write(bad, "x", 1, &why));
	WANT("why", why != NULL && strstr(why, "none/state: No such file") != NULL);
	free(why);
	free(bad);
}

/* ---- from a thread ---- */

static void wait_for_thread(struct fake_host *fake)
{
	struct pollfd done = { fake_host_watched(fake), POLLIN, 0 };

	assert_int_equal(poll(&done, 1, 10000), 1);
	WANT("the watch", fake_host_ready(fake, done.fd, MUM_READ));
}

static void save(struct state_saver *saver, const char *to, const char *text)
{
	struct buf buf = BUF_INIT(4096);

	buf_puts(&buf, text);
	WANT("started", state_saver_start(saver, to, &buf));
	WANT("taken over", buf.data == NULL);
	buf_puts(&buf, "later\n");
	WANT("one at a time", !state_saver_start(saver, to, &buf));
	buf_free(&buf);
}

static void test_saver(void **state)
{
	char *bad = xasprintf("%s/none/state", scratch.path);
	struct buf last = BUF_INIT(4096);
	struct state_saver *saver;
	struct fake_host fake;

	(void)state;
	fake_host_init(&fake);
	saver = state_saver_new(&fake.host, "policy.send_state");
	save(saver, path, "first\n");
	wait_for_thread(&fake);
	want_state("written", "first\n");
	WANT("good again, after one that came too early", state_saver_is_good(saver));
	save(saver, bad, "x");
	wait_for_thread(&fake);
	WANT("not good", !state_saver_is_good(saver));
	save(saver, bad, "x");
	wait_for_thread(&fake);
	WANT_NUMBER("said when it begins", fake_host_logged(&fake, MUM_LOG_WARNING,
							    "policy.send_state: "), 2);
	save(saver, path, "second\n");
	buf_puts(&last, "last\n");
	state_saver_finish(saver, path, &last);
	want_state("the last one wins", "last\n");
	WANT_NUMBER("and when it ends", fake_host_logged(&fake, MUM_LOG_INFO, "written again"),
		    2);
	WANT_NUMBER("no watch is left", fake_host_watches(&fake), 0);
	save(saver, path, "third\n");
	state_saver_free(&saver);
	want_state("waited for", "third\n");
	WANT("set to NULL", saver == NULL);
	state_saver_free(&saver);
	fake_host_free(&fake);
	free(bad);
}

static void test_half_a_text_replaces_nothing(void **state)
{
	struct buf cut = BUF_INIT(4), last = BUF_INIT(4);
	struct state_saver *saver;
	struct fake_host fake;

	(void)state;
	fake_host_init(&fake);
	write_state("good\n");
	saver = state_saver_new(&fake.host, "policy.send_state");
	buf_puts(&cut, "too long\n");
	WANT("not started", !state_saver_start(saver, path, &cut));
	WANT("not good", !state_saver_is_good(saver));
	buf_puts(&last, "too long\n");
	state_saver_finish(saver, path, &last);
	want_state("the old one is there", "good\n");
	WANT_NUMBER("said once", fake_host_logged(&fake, MUM_LOG_WARNING, "larger than 4 bytes"),
		    1);
	state_saver_free(&saver);
	buf_free(&cut);
	fake_host_free(&fake);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_there_and_back),
		UNIT_TEST(test_leftovers_are_no_obstacle),
		UNIT_TEST(test_what_cannot_be_read),
		UNIT_TEST(test_what_cannot_be_written),
		UNIT_TEST(test_saver),
		UNIT_TEST(test_half_a_text_replaces_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
