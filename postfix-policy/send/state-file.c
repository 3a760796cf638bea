/* SPDX-License-Identifier: MIT */
#include "postfix-policy/send/state-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/xalloc.h"

enum { PIECE = 65536 };	/* bytes read at once */

static bool write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t size = write(fd, bytes, len);

		if (size < 0 && errno != EINTR)
			return false;
		bytes += size > 0 ? size : 0;
		len -= size > 0 ? (size_t)size : 0;
	}
	return true;
}

/* Makes a new file, in the place of one that an earlier run left. */
static bool write_new(const char *path, const void *bytes, size_t len)
{
	int fd, error;
	bool ok;

	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	ok = write_all(fd, bytes, len) && fsync(fd) == 0;
	error = errno;
	if (close(fd) != 0 && ok)
		return false;
	errno = error;
	return ok;
}

bool state_file_write(const char *path, const void *bytes, size_t len, char **why_r)
{
	char *new = xasprintf("%s.new", path);
	bool ok = write_new(new, bytes, len) && rename(new, path) == 0;

	if (!ok) {
		*why_r = xasprintf("%s: %s", path, strerror(errno));
		(void)unlink(new);
	}
	free(new);
	return ok;
}

static bool read_all(int fd, struct buf *out)
{
	ssize_t size;

	do {
		char *to = buf_reserve(out, PIECE);

		if (to == NULL) {
			errno = EFBIG;
			return false;
		}
		size = read(fd, to, PIECE);
		out->len += size > 0 ? (size_t)size : 0;
	} while (size > 0 || (size < 0 && errno == EINTR));
	return size == 0;
}

bool state_file_read(const char *path, struct buf *out, char **why_r)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat status;
	bool ok = false;

	*why_r = NULL;
	if (fd < 0 && errno == ENOENT)
		return false;
	if (fd >= 0 && fstat(fd, &status) == 0) {
		errno = EINVAL;
		ok = S_ISREG(status.st_mode) && read_all(fd, out);
	}
	if (!ok)
		*why_r = xasprintf("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}
