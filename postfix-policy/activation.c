/* SPDX-License-Identifier: MIT */
#include "postfix-policy/activation.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/xalloc.h"

enum {
	FIRST_FD = 3,
	SOCKETS_MAX = 64	/* more than anybody listens on */
};

/* The socket's address in the form of a listen entry of mum.conf. */
static char *entry_of(int fd)
{
	struct sockaddr_storage address;
	const struct sockaddr_un *local = (const struct sockaddr_un *)&address;
	socklen_t size = sizeof(address);
	char host[NI_MAXHOST], port[NI_MAXSERV];

	memset(&address, 0, sizeof(address));
	if (getsockname(fd, (struct sockaddr *)&address, &size) != 0)
		return xstrdup("?");
	if (address.ss_family == AF_UNIX)
		return xasprintf("unix:%.*s", (int)sizeof(local->sun_path), local->sun_path);
	if (getnameinfo((struct sockaddr *)&address, size, host, sizeof(host), port,
			sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return xstrdup("?");
	return xasprintf(address.ss_family == AF_INET6 ? "inet:[%s]:%s" : "inet:%s:%s", host,
			 port);
}

static bool prepare(int fd, char **error_r)
{
	int type = 0, flags = fcntl(fd, F_GETFL);
	socklen_t size = sizeof(type);

	if (flags >= 0 && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
	    type != SOCK_STREAM)
		errno = ESOCKTNOSUPPORT;
	else if (flags >= 0 && type == SOCK_STREAM &&
		 fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
		 fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
		return true;
	*error_r = xasprintf("LISTEN_FDS: descriptor %d: %s; want a stream socket", fd,
			     strerror(errno));
	return false;
}

static size_t count_sockets(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");

	if (pid == NULL || count == NULL || strtol(pid, NULL, 10) != (long)getpid())
		return 0;
	return strtoul(count, NULL, 10);
}

bool activation_read(struct activation *activation, char **error_r)
{
	const char *names = getenv("LISTEN_FDNAMES");
	size_t count = count_sockets();
	char *copy = xstrdup(names != NULL ? names : ""), *rest = copy;
	bool ok = count <= SOCKETS_MAX;

	*activation = (struct activation){ 0, NULL };
	if (ok)
		activation->sockets = xcalloc(count, sizeof(struct inherited));
	else
		*error_r = xasprintf("LISTEN_FDS: more than %d sockets", SOCKETS_MAX);
	for (size_t i = 0; ok && i < count; i++) {
		const char *name = strsep(&rest, ":");

		ok = prepare(FIRST_FD + (int)i, error_r);
		if (!ok)
			break;
		activation->sockets[activation->count++] =
			(struct inherited){ FIRST_FD + (int)i,
					    xstrdup(name != NULL ? name : ""),
					    entry_of(FIRST_FD + (int)i) };
	}
	free(copy);
	return ok;
}

void activation_free(struct activation *activation)
{
	for (size_t i = 0; i < activation->count; i++) {
		if (activation->sockets[i].fd >= 0)
			close(activation->sockets[i].fd);
		free(activation->sockets[i].name);
		free(activation->sockets[i].entry);
	}
	free(activation->sockets);
	*activation = (struct activation){ 0, NULL };
}

/* Is it the name of a service? Then the name counts, not the address. */
static bool is_service(const char *name)
{
	return strcmp(name, "socketmap") == 0 || strcmp(name, "policy") == 0 ||
	       strcmp(name, "metrics") == 0;
}

static bool is_for(const struct inherited *sock, const char *service,
		   const struct mum_list *entries)
{
	if (is_service(sock->name))
		return strcmp(sock->name, service) == 0;
	for (size_t i = 0; i < entries->count; i++) {
		if (strcmp(sock->entry, entries->items[i]) == 0)
			return true;
	}
	return false;
}

int activation_take(struct activation *activation, const char *service,
		    const struct mum_list *entries)
{
	for (size_t i = 0; i < activation->count; i++) {
		struct inherited *sock = &activation->sockets[i];
		int fd = sock->fd;

		if (fd >= 0 && is_for(sock, service, entries)) {
			sock->fd = -1;
			return fd;
		}
	}
	return -1;
}

const struct inherited *activation_left(const struct activation *activation)
{
	for (size_t i = 0; i < activation->count; i++) {
		if (activation->sockets[i].fd >= 0)
			return &activation->sockets[i];
	}
	return NULL;
}
