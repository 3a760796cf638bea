/* SPDX-License-Identifier: MIT */
#include "postfix-policy/listener.h"

#include <errno.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/host.h"
#include "common/xalloc.h"

enum { PAUSE = 1000 };	/* ms without accept(2) when descriptors run out */

struct listener {
	struct service *service;
	session_start_fn *start;
	struct evconnlistener *accepting;
	struct listen_socket sock;
	struct mum_timer *pause;
	uint64_t failing_since;		/* host_now(); 0: all is well */
};

static void on_accept(struct evconnlistener *accepting, evutil_socket_t fd,
		      struct sockaddr *peer, int peer_len, void *arg)
{
	struct listener *listener = arg;
	const struct mum_host *host = listener->service->host;

	(void)accepting;
	(void)peer;
	(void)peer_len;
	if (listener->failing_since != 0)
		host_log(host, MUM_LOG_INFO, "accept: works again after %.1f s",
			 (double)(host_now(host) - listener->failing_since) / 1000);
	listener->failing_since = 0;
	listener->start(listener->service, fd);
}

static void on_pause_over(void *arg)
{
	struct listener *listener = arg;

	listener->pause = NULL;
	evconnlistener_enable(listener->accepting);
}

/* There are no descriptors left: clients stay in the kernel's queue for a while. */
static void on_accept_error(struct evconnlistener *accepting, void *arg)
{
	struct listener *listener = arg;
	const struct mum_host *host = listener->service->host;

	if (listener->failing_since == 0) {
		host_log(host, MUM_LOG_WARNING,
			 "accept: %s; trying again every %d ms", strerror(errno), PAUSE);
		listener->failing_since = host_now(host);
	}
	evconnlistener_disable(accepting);
	if (listener->pause == NULL)
		listener->pause = host->ops->timer(host->ctx, PAUSE, on_pause_over,
						   listener);
}

struct listener *listener_open(struct event_base *base, struct service *service,
			       struct listen_socket *sock, session_start_fn *start)
{
	struct listener *listener = xcalloc(1, sizeof(*listener));

	listener->service = service;
	listener->start = start;
	listener->sock = *sock;
	*sock = (struct listen_socket){ -1, NULL };
	listener->accepting = evconnlistener_new(base, on_accept, listener,
						 LEV_OPT_CLOSE_ON_EXEC, SOMAXCONN,
						 listener->sock.fd);
	if (listener->accepting == NULL) {
		int error = errno;

		listener_close(&listener);
		errno = error;
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
	listen_socket_close(&listener->sock);
	free(listener);
}
