/* SPDX-License-Identifier: MIT */
/* Files and sockets, as the users who must reach them see them. */
#include "mumctl/check.h"

#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/endpoint.h"
#include "common/xalloc.h"

enum { CONNECT_MAX = 5 };	/* seconds */

/*
 * Runs fn in a child process of that user; what it returns (an errno, or 0).
 * Only root can become somebody else: others get -1.
 */
static int as_user(const struct passwd *user, int (*fn)(const char *path), const char *path)
{
	int status;
	pid_t pid;

	if (geteuid() != 0 && geteuid() != user->pw_uid)
		return -1;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (geteuid() == 0 &&
		    (initgroups(user->pw_name, user->pw_gid) != 0 ||
		     setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
			_exit(EPERM);
		_exit(fn(path));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : ETIMEDOUT;
}

static int try_read(const char *path)
{
	return access(path, R_OK) == 0 ? 0 : errno;
}

static int connect_to(int family, const void *address, socklen_t size)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error;

	/* A full backlog would have us wait for ever. */
	alarm(CONNECT_MAX);
	error = fd >= 0 && connect(fd, address, size) == 0 ? 0 : errno;
	close(fd);
	return error;
}

static int connect_inet(const struct endpoint *endpoint)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	int error = EADDRNOTAVAIL;

	if (getaddrinfo(endpoint->host, endpoint->port, &hints, &list) != 0)
		return EADDRNOTAVAIL;
	for (const struct addrinfo *at = list; at != NULL && error != 0; at = at->ai_next)
		error = connect_to(at->ai_family, at->ai_addr, at->ai_addrlen);
	freeaddrinfo(list);
	return error;
}

/* One entry of a listen option. */
static int try_connect(const char *entry)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct endpoint endpoint;

	if (!endpoint_parse_listen(entry, &endpoint))
		return EADDRNOTAVAIL;
	if (endpoint.path == NULL)
		return connect_inet(&endpoint);
	if (strlen(endpoint.path) >= sizeof(address.sun_path))
		return ENAMETOOLONG;
	strcpy(address.sun_path, endpoint.path);
	return connect_to(AF_UNIX, &address, sizeof(address));
}

/* mumd reads these again at SIGHUP, without root's rights. */
static void check_readable(const struct check *check, const struct passwd *user,
			   const char *path)
{
	int error = as_user(user, try_read, path);

	if (error > 0)
		report_add(check->report, LEVEL_WARNING, "file-unreadable", path,
			   "chgrp it to the group of process.user, chmod 0640",
			   "user %s cannot read it (%s), so mumd cannot reload",
			   user->pw_name, strerror(error));
}

/* Opened by each program after it has dropped root's rights. */
static void check_sqlite_file(const struct check *check, const struct passwd *user)
{
	const char *path = check->config->database.path;
	int error = user != NULL ? as_user(user, try_read, path) : 0;

	if (error > 0)
		report_add(check->report, LEVEL_ERROR, "database-denied", path,
			   "let this user read the file and search its folders",
			   "user %s cannot read it (%s)", user->pw_name, strerror(error));
}

/* The password of the Dovecot module, in a file of its own or in mum.conf. */
static void check_exposed(const struct check *check, const struct mum_config *dovecot,
			  const struct passwd *user)
{
	const char *file = check->config->dovecot.password_file;
	const char *config = check->tool->config_path;

	if (*file != '\0' && as_user(user, try_read, file) == 0)
		report_add(check->report, LEVEL_WARNING, "file-exposed", file,
			   "chown root:root, chmod 0600",
			   "user %s can read it; only Dovecot needs it", user->pw_name);
	if (*file == '\0' && dovecot != NULL && *dovecot->database.password != '\0' &&
	    as_user(user, try_read, config) == 0)
		report_add(check->report, LEVEL_WARNING, "file-exposed", config,
			   "use dovecot.password_file, a file of root's with mode 0600",
			   "user %s can read dovecot.password; only Dovecot needs it",
			   user->pw_name);
}

void check_files(const struct check *check, const struct mum_config *dovecot)
{
	const struct mum_config *config = check->config;
	const struct passwd *user = getpwnam(config->process.user);	/* mum_config_load() */

	if (geteuid() != 0)
		report_add(check->report, LEVEL_WARNING, "not-root", "mumctl", "run it as root",
			   "files and sockets cannot be tried as the users who need them");
	if (user == NULL || user->pw_uid == 0)
		return;
	if (config->database.driver == MUM_DRIVER_SQLITE) {
		check_sqlite_file(check, user);
		check_sqlite_file(check, getpwnam("dovecot"));
		user = getpwnam(config->process.user);	/* its memory was used again */
		if (user == NULL)
			return;
	}
	check_readable(check, user, check->tool->config_path);
	if (*config->database.password_file != '\0')
		check_readable(check, user, config->database.password_file);
	check_exposed(check, dovecot, user);
}

static void check_socket(const struct check *check, const struct passwd *user,
			 const char *entry)
{
	int error = as_user(user, try_connect, entry);

	if (error == EACCES || error == EPERM)
		report_add(check->report, LEVEL_ERROR, "socket-denied", entry,
			   "see process.socket_group and socket_mode, and the modes of "
			   "its folders", "user postfix may not connect");
	else if (error > 0)
		report_add(check->report, LEVEL_ERROR, "socket-dead", entry,
			   "start mumd", "nobody answers there (%s)", strerror(error));
}

static void check_listeners(const struct check *check, const struct passwd *user,
			    const struct mum_list *listen)
{
	for (size_t i = 0; i < listen->count; i++)
		check_socket(check, user, listen->items[i]);
}

void check_sockets(const struct check *check)
{
	const struct passwd *user = getpwnam("postfix");

	if (user == NULL) {
		report_add(check->report, LEVEL_WARNING, "user-missing", "socketmap.listen",
			   "install Postfix", "no user \"postfix\" on this machine");
		return;
	}
	check_listeners(check, user, &check->config->socketmap.listen);
	check_listeners(check, user, &check->config->policy.listen);
}
