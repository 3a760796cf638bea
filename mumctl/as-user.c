/* SPDX-License-Identifier: MIT */
#include "mumctl/as-user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int as_user(const char *name, as_user_fn *fn, void *arg)
{
	const struct passwd *user = getpwnam(name);
	int status;
	pid_t pid;

	if (user == NULL || (geteuid() != 0 && geteuid() != user->pw_uid))
		return -1;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (geteuid() == 0 &&
		    (initgroups(user->pw_name, user->pw_gid) != 0 ||
		     setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0))
			_exit(EPERM);
		_exit(fn(arg));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : ETIMEDOUT;
}
