/* SPDX-License-Identifier: MIT */
#include "postfix-policy/listen-socket.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/endpoint.h"
#include "common/xalloc.h"

/* ---- unix sockets ---- */

/* 0 when a process listens there, else why there is no talking to it. */
static int try_connect(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = 0;

	if (fd < 0 || connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0)
		error = errno == EAGAIN ? 0 : errno;
	if (fd >= 0)
		close(fd);
	return error;
}

/* Why what stands there has to stay; NULL for a socket that nobody answers on. */
static const char *why_stays(const struct sockaddr_un *address, mode_t mode)
{
	int error;

	if (!S_ISSOCK(mode))
		return "something that is no socket stands there; move it away";
	error = try_connect(address);
	if (error == 0)
		return "another process listens there";
	return error == ECONNREFUSED ? NULL : strerror(error);
}

/*
 * Gives away what we have just made. Who owns the directory may have put something
 * else in its place since: what we look at is what we give. Without root there is
 * nothing to give away, and a service manager's filter of system calls need not let
 * us try.
 */
static bool give(const char *path, mode_t type, const struct socket_owner *owner)
{
	struct stat status;
	bool ok = false;
	int fd, error;

	if (owner->uid == (uid_t)-1 && owner->gid == (gid_t)-1)
		return true;
	fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	errno = EEXIST;
	if (fstat(fd, &status) == 0 && (status.st_mode & S_IFMT) == type)
		ok = fchownat(fd, "", owner->uid, owner->gid, AT_EMPTY_PATH) == 0;
	error = errno;
	close(fd);
	errno = error;
	return ok;
}

/* The directory of the socket, ours and Postfix's alone, if it is missing. */
static bool make_directory(const char *path, const struct socket_owner *owner)
{
	char *copy = xstrdup(path);
	const char *directory = dirname(copy);
	bool ok = true;

	if (mkdir(directory, 0750) == 0)
		ok = give(directory, S_IFDIR, owner);
	else
		ok = errno == EEXIST;
	free(copy);
	return ok;
}

/* The mode is right from the start: a chmod(2) behind it would follow links. */
static int bind_with_mode(int fd, const struct sockaddr_un *address, mode_t mode)
{
	mode_t before = umask(0777 & ~mode);
	int result = bind(fd, (const struct sockaddr *)address, sizeof(*address));

	umask(before);
	return result;
}

static int bind_unix(const char *path, const struct socket_owner *owner, char **error_r)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *why = NULL;
	struct stat status;
	bool exists;
	int fd = -1;

	if (strlen(path) >= sizeof(address.sun_path)) {
		*error_r = xasprintf("%s: longer than %zu bytes", path,
				     sizeof(address.sun_path) - 1);
		return -1;
	}
	strcpy(address.sun_path, path);
	exists = lstat(path, &status) == 0;
	if (exists)
		why = why_stays(&address, status.st_mode);
	if (why != NULL) {
		*error_r = xasprintf("%s: %s", path, why);
		return -1;
	}
	if (make_directory(path, owner) && (!exists || unlink(path) == 0))
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && bind_with_mode(fd, &address, owner->mode) == 0 &&
	    give(path, S_IFSOCK, owner))
		return fd;
	*error_r = xasprintf("%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* ---- inet sockets ---- */

static int bind_address(const struct addrinfo *info)
{
	const int on = 1;
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(fd, info->ai_addr, info->ai_addrlen) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

static int bind_inet(const struct endpoint *endpoint, const char *entry, char **error_r)
{
	const struct addrinfo hints = { .ai_flags = AI_PASSIVE,
					.ai_socktype = SOCK_STREAM };
	struct addrinfo *infos = NULL;
	int fd = -1, error;

	error = getaddrinfo(endpoint->host, endpoint->port, &hints, &infos);
	if (error == 0)
		fd = bind_address(infos);
	if (fd < 0)
		*error_r = xasprintf("%s: %s", entry,
				     error != 0 ? gai_strerror(error) : strerror(errno));
	if (infos != NULL)
		freeaddrinfo(infos);
	return fd;
}

/* ---- either ---- */

bool listen_socket_bind(struct listen_socket *sock, const char *entry,
			const struct socket_owner *owner, char **error_r)
{
	struct endpoint endpoint;

	*sock = (struct listen_socket){ -1, NULL };
	if (!endpoint_parse_listen(entry, &endpoint))
		*error_r = xasprintf("%s: want unix:/PATH or inet:HOST:PORT", entry);
	else if (endpoint.path != NULL)
		sock->fd = bind_unix(endpoint.path, owner, error_r);
	else
		sock->fd = bind_inet(&endpoint, entry, error_r);
	if (sock->fd >= 0 && endpoint.path != NULL)
		sock->path = xstrdup(endpoint.path);
	return sock->fd >= 0;
}

void listen_socket_close(struct listen_socket *sock)
{
	if (sock->fd >= 0)
		close(sock->fd);
	if (sock->path != NULL)
		unlink(sock->path);
	free(sock->path);
	*sock = (struct listen_socket){ -1, NULL };
}
