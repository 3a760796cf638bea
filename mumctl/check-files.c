/* SPDX-License-Identifier: MIT */
/* Files and sockets, as the users who must reach them see them. */
#include "mumctl/check.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/xalloc.h"

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
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int try_read(const char *path)
{
	return access(path, R_OK) == 0 ? 0 : errno;
}

static int try_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int error;

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	error = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : errno;
	close(fd);
	return error;
}

static const struct passwd *find_user(const struct check *check, const char *name,
				      const char *where, const char *mend)
{
	const struct passwd *user = getpwnam(name);

	if (user == NULL)
		report_add(check->report, LEVEL_WARNING, "user-missing", where, mend,
			   "no user \"%s\" on this machine", name);
	return user;
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

void check_files(const struct check *check)
{
	const struct mum_config *config = check->config;
	const struct passwd *user = find_user(check, config->process.user, "process.user",
					      "create it (see sysusers.d/mum.conf), or "
					      "name another one");

	if (user == NULL || user->pw_uid == 0)
		return;
	check_readable(check, user, check->tool->config_path);
	if (*config->database.password_file != '\0')
		check_readable(check, user, config->database.password_file);
	if (*config->dovecot.password_file != '\0' &&
	    as_user(user, try_read, config->dovecot.password_file) == 0)
		report_add(check->report, LEVEL_WARNING, "file-exposed",
			   config->dovecot.password_file, "chown root:root, chmod 0600",
			   "user %s can read it; only Dovecot needs it", user->pw_name);
}

static void check_socket(const struct check *check, const struct passwd *user,
			 const char *path)
{
	int error = as_user(user, try_connect, path);

	if (error == EACCES || error == EPERM)
		report_add(check->report, LEVEL_ERROR, "socket-denied", path,
			   "see process.socket_group and socket_mode, and the modes of "
			   "its folders", "user postfix may not connect");
	else if (error > 0)
		report_add(check->report, LEVEL_ERROR, "socket-dead", path,
			   "start mumd", "nobody answers there (%s)", strerror(error));
}

static void check_listeners(const struct check *check, const struct passwd *user,
			    const struct mum_list *listen)
{
	for (size_t i = 0; i < listen->count; i++) {
		if (strncmp(listen->items[i], "unix:", 5) == 0)
			check_socket(check, user, listen->items[i] + 5);
	}
}

void check_sockets(const struct check *check)
{
	const struct passwd *user = find_user(check, "postfix", "socketmap.listen",
					      "install Postfix");

	if (user == NULL)
		return;
	check_listeners(check, user, &check->config->socketmap.listen);
	check_listeners(check, user, &check->config->policy.listen);
}
