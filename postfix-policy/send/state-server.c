/* SPDX-License-Identifier: MIT */
#include "postfix-policy/send/state-server.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "common/xalloc.h"
#include "postfix-policy/send/table-text.h"

enum {
	READERS_MAX = 4,
	READERS_WAITING = 8,	/* in the kernel's queue */
	LIFETIME = 10000,	/* ms from accept to the end of the text */
	ACCEPT_AGAIN = 1000	/* ms, when there is no descriptor */
};

struct reader {
	struct state_server *server;
	int fd;
	struct buf text;
	size_t sent;		/* bytes of it */
	struct mum_watch *watch;
	struct mum_timer *timer;
	struct reader *prev, *next;
};

struct state_server {
	const struct mum_host *host;
	struct listen_socket sock;
	state_text_fn *put;
	void *arg;
	struct mum_watch *watch;	/* NULL while the timer waits */
	struct mum_timer *timer;
	struct reader *readers;
};

static void on_connect(unsigned events, void *arg);

static void reader_end(struct reader *reader)
{
	struct state_server *server = reader->server;

	host_unwatch(server->host, &reader->watch);
	host_untimer(server->host, &reader->timer);
	DL_DELETE(server->readers, reader);
	close(reader->fd);
	buf_free(&reader->text);
	free(reader);
}

static void on_time_over(void *arg)
{
	struct reader *reader = arg;

	reader->timer = NULL;
	reader_end(reader);
}

static void on_writable(unsigned events, void *arg)
{
	struct reader *reader = arg;
	ssize_t size = send(reader->fd, reader->text.data + reader->sent,
			    reader->text.len - reader->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	(void)events;
	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size > 0)
		reader->sent += (size_t)size;
	if (size < 0 || reader->sent == reader->text.len)
		reader_end(reader);
}

/* Takes over the descriptor. */
static void reader_start(struct state_server *server, int fd)
{
	const struct mum_host *host = server->host;
	struct reader *reader = xcalloc(1, sizeof(*reader));

	reader->server = server;
	reader->fd = fd;
	reader->text = (struct buf)BUF_INIT(SEND_TEXT_MAX);
	server->put(&reader->text, server->arg);
	reader->watch = host->ops->watch(host->ctx, fd, MUM_WRITE, on_writable, reader);
	reader->timer = host->ops->timer(host->ctx, LIFETIME, on_time_over, reader);
	DL_APPEND(server->readers, reader);
}

static void listen_again(struct state_server *server)
{
	server->watch = server->host->ops->watch(server->host->ctx, server->sock.fd, MUM_READ,
						 on_connect, server);
}

static void on_again(void *arg)
{
	struct state_server *server = arg;

	server->timer = NULL;
	listen_again(server);
}

/* Without this the loop would spin until somebody gives a descriptor back. */
static void pause_accept(struct state_server *server)
{
	const struct mum_host *host = server->host;

	host_unwatch(host, &server->watch);
	server->timer = host->ops->timer(host->ctx, ACCEPT_AGAIN, on_again, server);
}

static void on_connect(unsigned events, void *arg)
{
	struct state_server *server = arg;
	int fd = accept4(server->sock.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	const struct reader *at;
	int count;

	(void)events;
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			pause_accept(server);
		return;
	}
	DL_COUNT(server->readers, at, count);
	if (count < READERS_MAX)
		reader_start(server, fd);
	else
		close(fd);
}

struct state_server *state_server_new(const struct mum_host *host,
				      struct listen_socket *sock, state_text_fn *put,
				      void *arg)
{
	struct state_server *server = xcalloc(1, sizeof(*server));

	server->host = host;
	server->sock = *sock;
	server->put = put;
	server->arg = arg;
	*sock = (struct listen_socket){ -1, NULL };
	if (listen(server->sock.fd, READERS_WAITING) == 0) {
		listen_again(server);
		return server;
	}
	state_server_free(&server);
	return NULL;
}

void state_server_free(struct state_server **_server)
{
	struct state_server *server = *_server;

	*_server = NULL;
	if (server == NULL)
		return;
	while (server->readers != NULL)
		reader_end(server->readers);
	host_unwatch(server->host, &server->watch);
	host_untimer(server->host, &server->timer);
	listen_socket_close(&server->sock);
	free(server);
}
