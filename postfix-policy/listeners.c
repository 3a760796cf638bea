/* SPDX-License-Identifier: MIT */
#include "postfix-policy/listeners.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/xalloc.h"
#include "postfix-policy/activation.h"

struct listeners {
	struct event_base *base;
	struct service *service;
	const struct socket_owner *owner;	/* only during listeners_open() */
	struct activation activation;		/* likewise */
	size_t count;
	struct listener **list;
	size_t metrics_count;
	struct metrics_server **metrics;	/* one for each address */
};

/* Takes over the text. Always returns false. */
static bool complain(const struct listeners *listeners, char *error)
{
	host_log(listeners->service->host, MUM_LOG_ERROR, "listen: %s", error);
	free(error);
	return false;
}

/* Takes over the socket. */
static bool add(struct listeners *listeners, struct listen_socket *sock, const char *what,
		session_start_fn *start)
{
	struct listener *listener =
		listener_open(listeners->base, listeners->service, sock, start);

	if (listener == NULL)
		return complain(listeners, xasprintf("%s: %s", what, strerror(errno)));
	listeners->list = xgrow(listeners->list, listeners->count, sizeof(*listeners->list));
	listeners->list[listeners->count++] = listener;
	return true;
}

/* False when the service manager gave no more. */
static bool take(struct listeners *listeners, const char *service,
		 const struct mum_list *entries, struct listen_socket *sock)
{
	*sock = (struct listen_socket){
		activation_take(&listeners->activation, service, entries), NULL
	};
	if (sock->fd >= 0)
		host_log(listeners->service->host, MUM_LOG_INFO,
			 "%s: listening on descriptor %d of the service manager", service,
			 sock->fd);
	return sock->fd >= 0;
}

/*
 * Without root a socket has the group of the process, or that of a folder with the
 * setgid bit.
 */
static void check_group(const struct listeners *listeners, const struct listen_socket *sock)
{
	const struct mum_config *config = mum_core_config(listeners->service->core);
	const char *name = config->process.socket_group;
	const struct group *group = getgrnam(name);
	struct stat status;

	if (sock->path == NULL || (config->process.socket_mode & S_IWOTH) != 0 ||
	    lstat(sock->path, &status) != 0 ||
	    (group != NULL && status.st_gid == group->gr_gid))
		return;
	host_log(listeners->service->host, MUM_LOG_WARNING,
		 "listen: unix:%s: process.socket_group = \"%s\" could not be given without "
		 "root, so Postfix may not be allowed to connect; start mumd as root, or give "
		 "the folder that group and mode 2750", sock->path, name);
}

/* Left out addresses only cause a warning: the others may be enough. */
static bool bind_entry(const struct listeners *listeners, struct listen_sockets *socks,
		       const char *entry)
{
	char *error = NULL;

	if (!listen_sockets_bind(socks, entry, listeners->owner, &error))
		return complain(listeners, error);
	if (socks->left_out != NULL)
		host_log(listeners->service->host, MUM_LOG_WARNING,
			 "listen: %s: left out %s", entry, socks->left_out);
	return true;
}

static bool open_service(struct listeners *listeners, const char *service,
			 const struct mum_list *entries, session_start_fn *start)
{
	struct listen_socket sock;
	size_t before = listeners->count;
	bool ok = true;

	while (take(listeners, service, entries, &sock)) {
		if (!add(listeners, &sock, service, start))
			return false;
	}
	if (listeners->count > before)
		return true;
	for (size_t i = 0; i < entries->count && ok; i++) {
		struct listen_sockets socks;

		ok = bind_entry(listeners, &socks, entries->items[i]);
		for (size_t j = 0; j < socks.count; j++) {
			check_group(listeners, &socks.list[j]);
			ok = add(listeners, &socks.list[j], entries->items[i], start) && ok;
		}
		listen_sockets_clear(&socks);
	}
	return ok;
}

/* Takes over the socket. */
static bool add_metrics(struct listeners *listeners, struct listen_socket *sock,
			metrics_page_fn *page, void *arg)
{
	struct metrics_server *server =
		metrics_server_new(listeners->base, listeners->service, sock, page, arg);

	if (server == NULL)
		return complain(listeners, xasprintf("metrics: %s", strerror(errno)));
	listeners->metrics = xgrow(listeners->metrics, listeners->metrics_count,
				   sizeof(*listeners->metrics));
	listeners->metrics[listeners->metrics_count++] = server;
	return true;
}

static bool open_metrics(struct listeners *listeners, const char *entry,
			 metrics_page_fn *page, void *arg)
{
	const struct mum_list entries = { *entry != '\0', &entry };
	struct listen_sockets socks;
	struct listen_socket sock;
	bool ok;

	if (take(listeners, "metrics", &entries, &sock))
		return add_metrics(listeners, &sock, page, arg);
	if (entries.count == 0)
		return true;
	ok = bind_entry(listeners, &socks, entry);
	for (size_t i = 0; i < socks.count; i++)
		ok = add_metrics(listeners, &socks.list[i], page, arg) && ok;
	listen_sockets_clear(&socks);
	return ok;
}

/* Fails if a socket is left, because its clients would wait for ever. */
static bool check_left(const struct listeners *listeners)
{
	const struct inherited *left = activation_left(&listeners->activation);

	if (left == NULL)
		return true;
	return complain(listeners,
			xasprintf("descriptor %d (%s, \"%s\") of the service manager is no "
				  "listen entry of mum.conf; change one of them, or name it "
				  "with FileDescriptorName=socketmap, policy or metrics",
				  left->fd, left->entry, left->name));
}

static bool open_all(struct listeners *listeners, metrics_page_fn *page, void *arg)
{
	const struct mum_config *config = mum_core_config(listeners->service->core);
	char *error = NULL;

	if (!activation_read(&listeners->activation, &error))
		return complain(listeners, error);
	return open_service(listeners, "socketmap", &config->socketmap.listen,
			    socketmap_session_start) &&
	       open_service(listeners, "policy", &config->policy.listen,
			    policy_session_start) &&
	       open_metrics(listeners, config->metrics.listen, page, arg) &&
	       check_left(listeners);
}

struct listeners *listeners_open(struct event_base *base, struct service *service,
				 const struct socket_owner *owner, metrics_page_fn *page,
				 void *arg)
{
	struct listeners *listeners = xcalloc(1, sizeof(*listeners));
	bool ok;

	listeners->base = base;
	listeners->service = service;
	listeners->owner = owner;
	ok = open_all(listeners, page, arg);
	activation_free(&listeners->activation);
	listeners->owner = NULL;
	if (!ok)
		listeners_close(&listeners);
	return listeners;
}

void listeners_stop(struct listeners *listeners)
{
	for (size_t i = 0; i < listeners->count; i++)
		listener_close(&listeners->list[i]);
	listeners->count = 0;
	for (size_t i = 0; i < listeners->metrics_count; i++)
		metrics_server_stopping(listeners->metrics[i]);
}

void listeners_close(struct listeners **_listeners)
{
	struct listeners *listeners = *_listeners;

	*_listeners = NULL;
	if (listeners == NULL)
		return;
	listeners_stop(listeners);
	for (size_t i = 0; i < listeners->metrics_count; i++)
		metrics_server_free(&listeners->metrics[i]);
	free(listeners->metrics);
	free(listeners->list);
	free(listeners);
}
