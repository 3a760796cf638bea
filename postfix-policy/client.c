/* SPDX-License-Identifier: MIT */
#include "postfix-policy/client.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "common/host.h"
#include "common/xalloc.h"

enum {
	READ_SIZE = 2048,	/* bytes wanted in one read(2) */
	OUTPUT_MAX = 131072,	/* bytes; more than any reply */
	SWEEP_EVERY = 5000,	/* ms between looks for clients that make us wait */
	BAD_LOG_EVERY = 10000,	/* ms; in this time ... */
	BAD_LINES_MAX = 100	/* ... at most this many lines about bad requests */
};

struct client {
	struct clients *clients;
	int fd;
	const struct client_handler *handler;
	void *arg;
	struct buf in, out;
	bool busy;		/* a request has begun, its reply is not complete */
	bool in_request;	/* inside handler->request */
	bool ended;		/* the client sends no more, but may wait for a reply */
	/*
	 * host_now() when we began to wait for the rest of a request, or for the
	 * reply to be read; 0: neither.
	 */
	uint64_t waiting_since;
	struct mum_watch *watch;
	unsigned watched;
	struct client *prev, *next;
};

struct clients {
	const struct mum_host *host;
	struct client *by_use;	/* longest idle first */
	struct client_counts counts;
	unsigned patience_ms;
	struct mum_timer *sweep;
	bool draining;
	bool full;		/* logged */
	/* One for all: a client keeps only what has come, and an idle one nothing. */
	char received[READ_SIZE];
	struct buf spare_in, spare_out;	/* the memory of the last one that got idle */
	uint64_t bad_since;	/* host_now() when we began to count the lines */
	unsigned bad_lines;
};

static void log_full(struct clients *clients)
{
	if (!clients->full)
		host_log(clients->host, MUM_LOG_WARNING,
			 "%zu clients: closing idle ones to make room; raise "
			 "process.max_clients if this stays", clients->counts.now);
	clients->full = true;
}

/* Only below half the limit, so that the log does not flap. */
static void log_room(struct clients *clients)
{
	if (!clients->full || clients->counts.now > clients->counts.max / 2)
		return;
	host_log(clients->host, MUM_LOG_INFO, "%zu clients: there is room again",
		 clients->counts.now);
	clients->full = false;
}

static void move_memory(struct buf *to, struct buf *from)
{
	to->data = from->data;
	to->size = from->size;
	from->data = NULL;
	from->size = 0;
}

static void use_spare(struct buf *buf, struct buf *spare)
{
	if (buf->data == NULL)
		move_memory(buf, spare);
}

/* The buffer is empty. */
static void keep_spare(struct buf *buf, struct buf *spare)
{
	if (spare->data == NULL && buf->size <= READ_SIZE)
		move_memory(spare, buf);
	else
		buf_free(buf);
}

static void client_close(struct client *client)
{
	struct clients *clients = client->clients;

	DL_DELETE(clients->by_use, client);
	clients->counts.now--;
	log_room(clients);
	host_unwatch(clients->host, &client->watch);
	close(client->fd);
	client->handler->closed(client->arg);
	buf_free(&client->in);
	buf_free(&client->out);
	free(client);
}

static void on_ready(unsigned events, void *arg);

/* While a client is busy, we read at most one more request; others wait in the kernel. */
static void wait_for_events(struct client *client)
{
	const struct mum_host *host = client->clients->host;
	unsigned events = 0;

	if (client->out.len > 0)
		events |= MUM_WRITE;
	if (!client->ended && client->in.len < client->handler->request_max)
		events |= MUM_READ;
	if (events == client->watched)
		return;
	host_unwatch(host, &client->watch);
	client->watched = events;
	if (events != 0)
		client->watch = host->ops->watch(host->ctx, client->fd, events, on_ready,
						 client);
}

/* From now on the client must do something in time. */
static void begin_waiting(struct client *client)
{
	if (client->waiting_since == 0)
		client->waiting_since = host_now(client->clients->host);
}

/* False when the client was closed. */
static bool send_output(struct client *client)
{
	ssize_t sent;

	if (client->out.len == 0)
		return true;
	while (client->out.len > 0) {
		sent = send(client->fd, client->out.data, client->out.len, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			begin_waiting(client);
			return true;
		}
		if (sent < 0) {
			client_close(client);
			return false;
		}
		buf_consume(&client->out, (size_t)sent);
	}
	client->waiting_since = 0;
	return true;
}

/* Limits the lines, so that a client that sends nonsense cannot fill the log. */
static void log_bad(struct clients *clients, const char *name, const char *did,
		    const char *why)
{
	uint64_t now = host_now(clients->host);

	if (now - clients->bad_since >= BAD_LOG_EVERY) {
		clients->bad_since = now;
		clients->bad_lines = 0;
	}
	if (++clients->bad_lines <= BAD_LINES_MAX)
		host_log(clients->host, MUM_LOG_WARNING,
			 "%s: closing a client that %s%s", name, did, why);
	if (clients->bad_lines == BAD_LINES_MAX)
		host_log(clients->host, MUM_LOG_WARNING,
			 "%s: more bad requests follow and are not logged for a while", name);
}

/* did and why together say what the client did. */
static void close_bad(struct client *client, const char *did, const char *why)
{
	client->clients->counts.bad++;
	log_bad(client->clients, client->handler->name, did, why);
	client_close(client);
}

/* False when the bytes are bad and the client was closed. */
static bool begin_request(struct client *client)
{
	const char *why = "malformed";
	long used;

	client->busy = client->in_request = true;
	used = client->handler->request(client->arg, client->in.data, client->in.len, &why);
	client->in_request = false;
	if (used < 0) {
		close_bad(client, "sent a bad request: ", why);
		return false;
	}
	if (used == 0) {
		client->busy = false;
		begin_waiting(client);
		return true;
	}
	client->waiting_since = 0;
	buf_consume(&client->in, (size_t)used);
	return true;
}

/* Begins the next request, and goes on as long as requests are answered at once. */
static void run_requests(struct client *client)
{
	size_t before;

	do {
		before = client->in.len;
		if (client->busy || client->out.len > 0 || before == 0 ||
		    client->clients->draining)
			break;
		if (!begin_request(client) || (!client->busy && !send_output(client)))
			return;
	} while (client->in.len < before);
	if (!client->busy && client->out.len == 0 &&
	    (client->ended || client->clients->draining)) {
		client_close(client);
		return;
	}
	if (client->in.len == 0)
		keep_spare(&client->in, &client->clients->spare_in);
	if (client->out.len == 0)
		keep_spare(&client->out, &client->clients->spare_out);
	wait_for_events(client);
}

/* False when the client was closed. */
static bool read_input(struct client *client)
{
	size_t room = client->in.limit - client->in.len;
	size_t want = room < READ_SIZE ? room : READ_SIZE;
	char *received = client->clients->received;
	ssize_t got = want > 0 ? recv(client->fd, received, want, 0) : 0;

	if (want == 0)
		return true;
	if (got > 0) {
		use_spare(&client->in, &client->clients->spare_in);
		buf_put(&client->in, received, (size_t)got);
		return true;
	}
	if (got < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
		return true;
	if (got == 0 && (client->busy || client->out.len > 0)) {
		client->ended = true;
		return true;
	}
	client_close(client);
	return false;
}

static void on_ready(unsigned events, void *arg)
{
	struct client *client = arg;

	if ((events & MUM_WRITE) != 0 && !send_output(client))
		return;
	if ((events & MUM_READ) != 0) {
		if (!read_input(client))
			return;
		DL_DELETE(client->clients->by_use, client);
		DL_APPEND(client->clients->by_use, client);
	}
	run_requests(client);
}

struct buf *client_output(struct client *client)
{
	use_spare(&client->out, &client->clients->spare_out);
	return &client->out;
}

void client_reply_done(struct client *client)
{
	assert(client->busy && !client->out.failed);
	client->busy = false;
	if (!client->in_request && send_output(client))
		run_requests(client);
}

/* ---- all clients ---- */

/*
 * Closes the client that is idle longest and waits for nothing. False when there is none.
 */
static bool evict_one(struct clients *clients)
{
	struct client *client;

	DL_FOREACH(clients->by_use, client) {
		if (!client->busy && client->out.len == 0) {
			client_close(client);
			return true;
		}
	}
	return false;
}

/* False when there is no room for one more. */
static bool make_room(struct clients *clients)
{
	if (clients->counts.now < clients->counts.max)
		return true;
	log_full(clients);
	if (evict_one(clients)) {
		clients->counts.evicted++;
		return true;
	}
	clients->counts.refused++;
	return false;
}

struct client *client_new(struct clients *clients, int fd,
			  const struct client_handler *handler, void *arg)
{
	struct client *client;

	if (!make_room(clients)) {
		close(fd);
		return NULL;
	}
	clients->counts.accepted++;
	client = xcalloc(1, sizeof(*client));
	client->clients = clients;
	client->fd = fd;
	client->handler = handler;
	client->arg = arg;
	client->in = (struct buf)BUF_INIT(handler->request_max);
	client->out = (struct buf)BUF_INIT(OUTPUT_MAX);
	DL_APPEND(clients->by_use, client);
	clients->counts.now++;
	wait_for_events(client);
	return client;
}

/*
 * Closes clients after patience_ms. One that sends its request in trickles holds a
 * buffer, and one that does not read its reply holds a place that others need.
 */
static void on_sweep(void *arg)
{
	struct clients *clients = arg;
	uint64_t now = host_now(clients->host);
	struct client *client, *next;

	clients->sweep = clients->host->ops->timer(clients->host->ctx, SWEEP_EVERY,
						   on_sweep, clients);
	DL_FOREACH_SAFE(clients->by_use, client, next) {
		if (client->waiting_since == 0 ||
		    now - client->waiting_since <= clients->patience_ms)
			continue;
		if (client->out.len > 0)
			close_bad(client, "did not read its reply in time", "");
		else
			close_bad(client, "sent a bad request: ", "not complete in time");
	}
}

struct clients *clients_new(const struct mum_host *host, size_t clients_max,
			    unsigned patience_ms)
{
	struct clients *clients = xcalloc(1, sizeof(*clients));

	clients->host = host;
	clients->counts.max = clients_max;
	clients->patience_ms = patience_ms;
	clients->sweep = host->ops->timer(host->ctx, SWEEP_EVERY, on_sweep, clients);
	return clients;
}

void clients_free(struct clients **_clients)
{
	struct clients *clients = *_clients;

	*_clients = NULL;
	if (clients == NULL)
		return;
	while (clients->by_use != NULL)
		client_close(clients->by_use);
	host_untimer(clients->host, &clients->sweep);
	buf_free(&clients->spare_in);
	buf_free(&clients->spare_out);
	free(clients);
}

void clients_set_max(struct clients *clients, size_t clients_max)
{
	clients->counts.max = clients_max;
}

size_t clients_count(const struct clients *clients)
{
	return clients->counts.now;
}

struct client_counts clients_counts(const struct clients *clients)
{
	return clients->counts;
}

void clients_drain(struct clients *clients)
{
	struct client *client, *next;

	/*
	 * What a client sent before now gets its reply, even if we have not read it yet.
	 */
	DL_FOREACH_SAFE(clients->by_use, client, next) {
		if (!client->busy && read_input(client))
			run_requests(client);
	}
	clients->draining = true;
	DL_FOREACH_SAFE(clients->by_use, client, next) {
		if (!client->busy && client->out.len == 0)
			client_close(client);
	}
}
