/* SPDX-License-Identifier: MIT */
#include "common/password-file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/xalloc.h"

void password_file_read(const char *path, char password[PASSWORD_FILE_MAX], char **why_r)
{
	struct stat status;
	ssize_t len = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	password[0] = '\0';
	/* It may be the password itself, so it is not repeated. */
	if (*path != '/')
		*why_r = xstrdup("want an absolute path");
	else if (fd < 0 || fstat(fd, &status) < 0)
		*why_r = xasprintf("%s: %s", path, strerror(errno));
	else if (!S_ISREG(status.st_mode))
		*why_r = xasprintf("%s: not a regular file", path);
	else if ((status.st_mode & S_IRWXO) != 0)
		*why_r = xasprintf("%s: everybody can read it; chmod o= it", path);
	else if ((len = read(fd, password, PASSWORD_FILE_MAX)) < 0)
		*why_r = xasprintf("%s: %s", path, strerror(errno));
	else if (len == PASSWORD_FILE_MAX)
		*why_r = xasprintf("%s: over %d bytes", path, PASSWORD_FILE_MAX - 1);
	if (fd >= 0)
		close(fd);
	if (*why_r != NULL)
		return;
	password[len] = '\0';
	password[strcspn(password, "\r\n")] = '\0';
}
