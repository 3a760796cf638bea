/* SPDX-License-Identifier: MIT */
/*
 * Unix sockets in a directory that somebody else may write to: what is replaced, and
 * who owns the new socket. bind(2) goes through the test, which plays that somebody.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/xalloc.h"
#include "postfix-policy/listen-socket.h"
#include "tests/unit/scratch.h"

static struct scratch scratch;
static char *path;		/* where to listen */
static char *link_to;		/* not NULL: what takes the socket's place once it is bound */

int __real_bind(int fd, const struct sockaddr *address, socklen_t size);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size);

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t size)
{
	int result = __real_bind(fd, address, size);

	if (result == 0 && link_to != NULL &&
	    (unlink(path) != 0 || symlink(link_to, path) != 0))
		abort();
	return result;
}

static int setup(void **state)
{
	(void)state;
	scratch_init(&scratch);
	path = xasprintf("%s/socket", scratch.path);
	link_to = NULL;
	return 0;
}

static int teardown(void **state)
{
	free(path);
	free(link_to);
	scratch_free(&scratch);
	return unit_teardown(state);
}

/* Changes the owner to the present one, so that the test does not need root. */
static bool listen_there(struct listen_socket *sock, mode_t mode)
{
	const struct socket_owner owner = { geteuid(), getegid(), mode };
	char *entry = xasprintf("unix:%s", path), *error = NULL;
	struct listen_sockets socks;
	bool ok = listen_sockets_bind(&socks, entry, &owner, &error);

	*sock = ok ? socks.list[0] : (struct listen_socket){ -1, NULL };
	WANT_NUMBER("sockets", socks.count, ok ? 1 : 0);
	listen_sockets_clear(&socks);

	WANT("it names the path, or nothing is wrong",
	     ok ? error == NULL : strstr(error, path) != NULL);
	free(error);
	free(entry);
	return ok;
}

/* Makes a socket of that type and closes it, so that nobody answers on it. */
static int other_socket(int type)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || __real_bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    (type == SOCK_STREAM && listen(fd, 1) != 0))
		abort();
	return fd;
}

static ino_t inode(void)
{
	struct stat status;

	return lstat(path, &status) == 0 ? status.st_ino : 0;
}

enum thing { NOTHING, DEAD_SOCKET, LIVE_SOCKET, DATAGRAM_SOCKET, FILE_, LINK, FOLDER };

static const struct {
	const char *name;
	enum thing thing;
	bool replaced;
} things[] = {
	{ "nothing", NOTHING, true },
	{ "a socket that nobody answers on", DEAD_SOCKET, true },
	{ "a socket that somebody answers on", LIVE_SOCKET, false },
	{ "a datagram socket, as syslogd's", DATAGRAM_SOCKET, false },
	{ "a file", FILE_, false },
	{ "a link to nowhere", LINK, false },
	{ "a folder", FOLDER, false },
};

static int make_thing(enum thing thing)
{
	switch (thing) {
	case DEAD_SOCKET:
		close(other_socket(SOCK_STREAM));
		break;
	case LIVE_SOCKET:
		return other_socket(SOCK_STREAM);
	case DATAGRAM_SOCKET:
		return other_socket(SOCK_DGRAM);
	case FILE_:
		free(scratch_file(&scratch, "socket", 0600, "mail", 4));
		break;
	case LINK:
		assert_int_equal(symlink("/nonexistent/socket", path), 0);
		break;
	case FOLDER:
		assert_int_equal(mkdir(path, 0700), 0);
		break;
	case NOTHING:
		break;
	}
	return -1;
}

static void only_a_socket_that_nobody_answers_on_is_replaced(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, things) {
		int other = make_thing(row->thing);
		ino_t before = inode();
		struct listen_socket sock = { -1, NULL };

		WANT(row->name, listen_there(&sock, 0660) == row->replaced);
		WANT(row->name, row->replaced || inode() == before);
		listen_socket_close(&sock);
		if (other >= 0)
			close(other);
		if (remove(path) != 0)
			WANT(row->name, row->replaced);
	}
}

static void the_mode_is_that_of_the_configuration(void **state)
{
	static const mode_t modes[] = { 0660, 0666, 0600, 0777, 0 };
	mode_t before = umask(0027);

	(void)state;
	FOR_EACH_ROW(mode, modes) {
		struct listen_socket sock = { -1, NULL };
		struct stat status = { .st_mode = 07777 };

		WANT("it listens", listen_there(&sock, *mode));
		lstat(path, &status);
		WANT_NUMBER("mode", status.st_mode & 07777, *mode);
		listen_socket_close(&sock);
	}
	WANT_NUMBER("umask is as it was", umask(before), 0027);
}

static void a_link_in_the_place_of_the_new_socket_is_not_followed(void **state)
{
	struct listen_socket sock = { -1, NULL };
	struct stat before, after;

	(void)state;
	link_to = scratch_file(&scratch, "shadow", 0600, "root", 4);
	assert_int_equal(stat(link_to, &before), 0);
	WANT("it gives up", !listen_there(&sock, 0666));
	assert_int_equal(stat(link_to, &after), 0);
	WANT_NUMBER("mode", after.st_mode & 07777, 0600);
	/* Even setting the owner that it already has would change its ctime. */
	WANT("nothing was changed of it",
	     before.st_ctim.tv_sec == after.st_ctim.tv_sec &&
		     before.st_ctim.tv_nsec == after.st_ctim.tv_nsec);
	listen_socket_close(&sock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_a_socket_that_nobody_answers_on_is_replaced,
						setup, teardown),
		cmocka_unit_test_setup_teardown(the_mode_is_that_of_the_configuration, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			a_link_in_the_place_of_the_new_socket_is_not_followed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
