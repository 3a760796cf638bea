/* SPDX-License-Identifier: MIT */
#include "postfix-policy/listener.h"

#include <errno.h>
#include <event2/listener.h>
#include <libgen.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/host.h"
#include "common/xalloc.h"

enum { PAUSE = 1000 };	/* ms without accept(2) when descriptors run out */

struct listener {
	struct service *service;
	session_start_fn *start;
	struct evconnlistener *accepting;
	char *path;			/* of a unix socket, else NULL */
	struct mum_timer *pause;
};

static void on_accept(struct evconnlistener *accepting, evutil_socket_t fd,
		      struct sockaddr *peer, int peer_len, void *arg)
{
	struct listener *listener = arg;

	(void)accepting;
	(void)peer;
	(void)peer_len;
	listener->start(listener->service, fd);
}

static void on_pause_over(void *arg)
{
	struct listener *listener = arg;

	listener->pause = NULL;
	evconnlistener_enable(listener->accepting);
}

/* Out of descriptors: waiting clients stay in the kernel's queue for a while. */
static void on_accept_error(struct evconnlistener *accepting, void *arg)
{
	struct listener *listener = arg;
	const struct mum_host *host = listener->service->host;

	host_log(host, MUM_LOG_WARNING, "accept: %s; pausing for %d ms",
		 strerror(errno), PAUSE);
	evconnlistener_disable(accepting);
	if (listener->pause == NULL)
		listener->pause = host->ops->timer(host->ctx, PAUSE, on_pause_over,
						   listener);
}

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

/* The directory of the socket, ours and Postfix's alone, if it is missing. */
static bool make_directory(const char *path, const struct listener_owner *owner)
{
	char *copy = xstrdup(path);
	const char *directory = dirname(copy);
	bool ok = true;

	if (mkdir(directory, 0750) == 0)
		ok = chown(directory, owner->uid, owner->gid) == 0;
	else
		ok = errno == EEXIST;
	free(copy);
	return ok;
}

static int bind_unix(const char *path, const struct listener_owner *owner, char **error_r)
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
	    chown(path, owner->uid, owner->gid) == 0 && chmod(path, owner->mode) == 0)
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

/* ---- life ---- */

struct listener *listener_open(struct event_base *base, struct service *service,
			       const char *entry, const struct listener_owner *owner,
			       session_start_fn *start, char **error_r)
{
	bool is_unix = strncmp(entry, "unix:", 5) == 0;
	int fd = is_unix ? bind_unix(entry + 5, owner, error_r)
			 : bind_inet(entry + strlen("inet:"), error_r);
	struct listener *listener;

	if (fd < 0)
		return NULL;
	listener = xcalloc(1, sizeof(*listener));
	listener->service = service;
	listener->start = start;
	listener->path = is_unix ? xstrdup(entry + 5) : NULL;
	listener->accepting = evconnlistener_new(
		base, on_accept, listener,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, SOMAXCONN, fd);
	if (listener->accepting == NULL) {
		*error_r = xasprintf("%s: %s", entry, strerror(errno));
		close(fd);
		listener_close(&listener);
		return NULL;
	}
	evconnlistener_set_error_cb(listener->accepting, on_accept_error);
	return listener;
}

void listener_close(struct listener **_listener)
{
	struct listener *listener = *_listener;

	*_listener = NULL;
	if (listener == NULL)
		return;
	host_untimer(listener->service->host, &listener->pause);
	if (listener->accepting != NULL)
		evconnlistener_free(listener->accepting);
	if (listener->path != NULL)
		unlink(listener->path);
	free(listener->path);
	free(listener);
}
