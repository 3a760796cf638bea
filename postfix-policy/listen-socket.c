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

#include "common/buf.h"
#include "common/endpoint.h"
#include "common/xalloc.h"

enum { FAILURES_MAX = 4096 };	/* bytes of text about addresses */

/* ---- unix sockets ---- */

/* 0 when a process listens there, else the error of the connection. */
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

/* Why the file there has to stay; NULL for a socket on which nobody answers. */
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
 * Changes the owner of what we have just made. The directory's owner may have put
 * something else in its place since, so we open it, look at it, and change just that.
 * Without root there is nothing to change, and a service manager's filter of system
 * calls may even forbid a try.
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

bool listen_socket_make_directory(const char *path, const struct socket_owner *owner)
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

/* Sets the mode when the file is made, because a later chmod(2) would follow links. */
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
	if (listen_socket_make_directory(path, owner) && (!exists || unlink(path) == 0))
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

/* Is the same address earlier in the list? /etc/hosts may have it twice. */
static bool is_repeated(const struct addrinfo *infos, const struct addrinfo *info)
{
	while (infos != info && (infos->ai_addrlen != info->ai_addrlen ||
				 memcmp(infos->ai_addr, info->ai_addr, info->ai_addrlen) != 0))
		infos = infos->ai_next;
	return infos != info;
}

/* Appends "ADDRESS: why". */
static void put_failure(struct buf *out, const struct addrinfo *info, int error)
{
	char address[ENDPOINT_HOST_SIZE] = "?";

	(void)getnameinfo(info->ai_addr, info->ai_addrlen, address, sizeof(address), NULL, 0,
			  NI_NUMERICHOST);
	buf_printf(out, "%s%s: %s", out->len > 0 ? ", " : "", address, strerror(error));
}

static void add(struct listen_sockets *socks, int fd, const char *path)
{
	socks->list = xrealloc(socks->list, (socks->count + 1) * sizeof(*socks->list));
	socks->list[socks->count++] = (struct listen_socket){
		fd, path != NULL ? xstrdup(path) : NULL
	};
}

/*
 * False when the entry fails: another process listens there, we may not bind, or no
 * address is left.
 */
static bool bind_infos(struct listen_sockets *socks, const struct addrinfo *infos,
		       struct buf *failures)
{
	for (const struct addrinfo *info = infos; info != NULL; info = info->ai_next) {
		int fd;

		if (is_repeated(infos, info))
			continue;
		fd = bind_address(info);
		if (fd >= 0) {
			add(socks, fd, NULL);
			continue;
		}
		if (errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT) {
			buf_clear(failures);
			put_failure(failures, info, errno);
			return false;
		}
		put_failure(failures, info, errno);
	}
	return socks->count > 0;
}

static void bind_inet(struct listen_sockets *socks, const struct endpoint *endpoint,
		      const char *entry, char **error_r)
{
	const struct addrinfo hints = { .ai_flags = AI_PASSIVE,
					.ai_socktype = SOCK_STREAM };
	struct buf failures = BUF_INIT(FAILURES_MAX);
	struct addrinfo *infos = NULL;
	int error = getaddrinfo(endpoint->host, endpoint->port, &hints, &infos);

	if (error != 0)
		buf_puts(&failures, gai_strerror(error));
	if (error != 0 || !bind_infos(socks, infos, &failures)) {
		char *text = buf_steal(&failures);

		*error_r = xasprintf("%s: %s", entry, text);
		free(text);
		while (socks->count > 0)
			listen_socket_close(&socks->list[--socks->count]);
	} else if (failures.len > 0) {
		socks->left_out = buf_steal(&failures);
	}
	buf_free(&failures);
	if (infos != NULL)
		freeaddrinfo(infos);
}

/* ---- both ---- */

bool listen_sockets_bind(struct listen_sockets *socks, const char *entry,
			 const struct socket_owner *owner, char **error_r)
{
	struct endpoint endpoint;

	*socks = (struct listen_sockets){ NULL, 0, NULL };
	if (!endpoint_parse_listen(entry, &endpoint)) {
		*error_r = xasprintf("%s: want unix:/PATH or inet:HOST:PORT", entry);
	} else if (endpoint.path != NULL) {
		int fd = bind_unix(endpoint.path, owner, error_r);

		if (fd >= 0)
			add(socks, fd, endpoint.path);
	} else {
		bind_inet(socks, &endpoint, entry, error_r);
	}
	if (socks->count == 0)
		listen_sockets_clear(socks);
	return socks->count > 0;
}

void listen_sockets_clear(struct listen_sockets *socks)
{
	free(socks->list);
	free(socks->left_out);
	*socks = (struct listen_sockets){ NULL, 0, NULL };
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
