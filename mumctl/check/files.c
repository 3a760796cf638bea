/* SPDX-License-Identifier: MIT */
/* Can each file be read by those users who need it, and by no others? */
#include "mumctl/check/check.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "mumctl/as-user.h"

static int try_read(void *path)
{
	return access(path, R_OK) == 0 ? 0 : errno;
}

/* Returns what as_user() does. */
static int read_as(const char *user, const char *path)
{
	return as_user(user, try_read, (void *)path);
}

/* mumd reads these again at SIGHUP, without root's rights. */
static void check_readable(const struct check *check, const char *path)
{
	const char *user = check->config->process.user;
	int error = read_as(user, path);

	if (error > 0)
		report_add(check->report, LEVEL_WARNING, "file-unreadable", path,
			   "chgrp it to the group of process.user, chmod 0640",
			   "user %s cannot read it (%s), so mumd cannot reload", user,
			   strerror(error));
}

/* Each program opens the file after it has dropped root's rights. */
static void check_sqlite_file(const struct check *check, const char *user)
{
	const char *path = check->config->database.path;
	int error = read_as(user, path);

	if (error > 0)
		report_add(check->report, LEVEL_ERROR, "database-denied", path,
			   "let this user read the file and search its folders",
			   "user %s cannot read it (%s)", user, strerror(error));
}

/* The password of the Dovecot module, in a file of its own or in mum.conf. */
static void check_exposed(const struct check *check, const struct mum_config *dovecot)
{
	const char *user = check->config->process.user;
	const char *file = check->config->dovecot.password_file;
	const char *config = check->tool->config_path;

	if (*file != '\0' && read_as(user, file) == 0)
		report_add(check->report, LEVEL_WARNING, "file-exposed", file,
			   "chown root:root, chmod 0600",
			   "user %s can read it; only Dovecot needs it", user);
	if (*file == '\0' && dovecot != NULL && *dovecot->database.password != '\0' &&
	    read_as(user, config) == 0)
		report_add(check->report, LEVEL_WARNING, "file-exposed", config,
			   "use dovecot.password_file, a file of root's with mode 0600",
			   "user %s can read dovecot.password; only Dovecot needs it", user);
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
		check_sqlite_file(check, config->process.user);
		check_sqlite_file(check, "dovecot");
	}
	check_readable(check, check->tool->config_path);
	if (*config->database.password_file != '\0')
		check_readable(check, config->database.password_file);
	check_exposed(check, dovecot);
}
