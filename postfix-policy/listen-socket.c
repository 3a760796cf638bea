/* SPDX-License-Identifier: MIT */
#include "postfix-policy/listen-socket.h"

#include <errno.h>
#include <libgen.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/xalloc.h"

/* ---- unix sockets ---- */

/* Does a process listen there? A file that none answers on may be replaced. */
static bool is_alive(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool alive;

	if (fd < 0)
		return true;
	alive = connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 ||
		errno == EAGAIN;
	close(fd);
	return alive;
}

/*
 * Without root there is nothing to give away, and a service manager's filter of
 * system calls need not let us try.
 */
static bool give(const char *path, const struct socket_owner *owner)
{
	if (owner->uid == (uid_t)-1 && owner->gid == (gid_t)-1)
		return true;
	return chown(path, owner->uid, owner->gid) == 0;
}

/* The directory of the socket, ours and Postfix's alone, if it is missing. */
static bool make_directory(const char *path, const struct socket_owner *owner)
{
	char *copy = xstrdup(path);
	const char *directory = dirname(copy);
	bool ok = true;

	if (mkdir(directory, 0750) == 0)
		ok = give(directory, owner);
	else
		ok = errno == EEXIST;
	free(copy);
	return ok;
}

static int bind_unix(const char *path, const struct socket_owner *owner, char **error_r)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = -1;

	if (strlen(path) >= sizeof(address.sun_path)) {
		*error_r = xasprintf("%s: longer than %zu bytes", path,
				     sizeof(address.sun_path) - 1);
		return -1;
	}
	strcpy(address.sun_path, path);
	if (access(path, F_OK) == 0 && is_alive(&address)) {
		*error_r = xasprintf("%s: another process listens there", path);
		return -1;
	}
	if (make_directory(path, owner) && (unlink(path) == 0 || errno == ENOENT))
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    give(path, owner) && chmod(path, owner->mode) == 0)
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

/* HOST:PORT or [V6]:PORT. */
static int bind_inet(const char *spec, char **error_r)
{
	const struct addrinfo hints = { .ai_flags = AI_PASSIVE,
					.ai_socktype = SOCK_STREAM };
	const char *colon = strrchr(spec, ':');
	size_t len = (size_t)(colon - spec);
	struct addrinfo *infos = NULL;
	int fd = -1, error;
	char *host;

	if (len >= 2 && spec[0] == '[' && spec[len - 1] == ']')
		host = xstrndup(spec + 1, len - 2);
	else
		host = xstrndup(spec, len);
	error = getaddrinfo(host, colon + 1, &hints, &infos);
	if (error == 0)
		fd = bind_address(infos);
	if (fd < 0)
		*error_r = xasprintf("%s: %s", spec,
				     error != 0 ? gai_strerror(error) : strerror(errno));
	if (infos != NULL)
		freeaddrinfo(infos);
	free(host);
	return fd;
}

/* ---- either ---- */

bool listen_socket_bind(struct listen_socket *sock, const char *entry,
			const struct socket_owner *owner, char **error_r)
{
	bool is_unix = strncmp(entry, "unix:", 5) == 0;

	sock->fd = is_unix ? bind_unix(entry + 5, owner, error_r)
			   : bind_inet(entry + strlen("inet:"), error_r);
	sock->path = is_unix && sock->fd >= 0 ? xstrdup(entry + 5) : NULL;
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
