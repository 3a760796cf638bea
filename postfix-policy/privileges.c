/* SPDX-License-Identifier: MIT */
#include "postfix-policy/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "common/xalloc.h"

bool privileges_find(const struct mum_config *config, struct privileges *privileges,
		     char **error_r)
{
	const struct passwd *user;
	const struct group *group;

	privileges->root = geteuid() == 0;
	privileges->user = config->process.user;
	privileges->owner = (struct socket_owner){ (uid_t)-1, (gid_t)-1,
						     config->process.socket_mode };
	if (!privileges->root)
		return true;
	user = getpwnam(config->process.user);
	if (user == NULL) {
		*error_r = xasprintf("process.user = \"%s\": no such user; adduser --system "
				     "--group it", config->process.user);
		return false;
	}
	group = getgrnam(config->process.socket_group);
	if (group == NULL) {
		*error_r = xasprintf("process.socket_group = \"%s\": no such group",
				     config->process.socket_group);
		return false;
	}
	privileges->owner.uid = user->pw_uid;
	privileges->owner.gid = group->gr_gid;
	return true;
}

void privileges_forgo(void)
{
	/* The address space holds the database password. */
	prctl(PR_SET_DUMPABLE, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

bool privileges_drop(const struct privileges *privileges, char **error_r)
{
	const struct passwd *user;

	if (!privileges->root)
		return true;
	user = getpwnam(privileges->user);
	if (user == NULL || initgroups(user->pw_name, user->pw_gid) != 0 ||
	    setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0) {
		*error_r = xasprintf("cannot become user %s: %s", privileges->user,
				     strerror(errno));
		return false;
	}
	/* A change of user resets the dumpable flag. */
	privileges_forgo();
	return true;
}
