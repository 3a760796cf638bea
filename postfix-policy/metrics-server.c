/* SPDX-License-Identifier: MIT */
#include "postfix-policy/metrics-server.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <utlist.h>

#include "common/log-text.h"
#include "common/xalloc.h"

enum {
	CONNECTIONS_MAX = 32,	/* more wait in the kernel's queue */
	LIFETIME = 5000,	/* ms from accept to the end of the reply */
	SILENCE_MAX = 3,	/* s without a byte */
	HEADERS_MAX = 4096,	/* bytes */
	INPUT_MAX = 8192,	/* bytes in memory */
	PAGE_MAX = 4 << 20,	/* bytes */
	PROBE_MAX = 3000,	/* ms to wait for the database */
	VERDICT_KEPT = 1000,	/* ms; spares the database when many read /readyz */
	SWEEP_EVERY = 1000,	/* ms */
	SWEEP_FULL = 100	/* ms; while there is no room for more connections */
};

/*
 * libevent's server limits neither the number of connections nor their time, and tells
 * us of a connection only when its request is whole. So each connection begins with a
 * bufferevent of ours, and we keep a reference to it.
 */
struct connection {
	struct metrics_server *server;
	struct bufferevent *bev;
	uint64_t until;			/* host_now() */
	struct connection *prev, *next;
};

/* A request to /readyz that waits for the probe. */
struct waiter {
	struct evhttp_request *request;
	struct waiter *next;
};

struct metrics_server {
	struct service *service;
	metrics_page_fn *page;
	void *arg;
	struct listen_socket sock;
	struct evhttp *http;
	struct evconnlistener *accepting;	/* owned by http */
	struct connection *connections;
	size_t connections_count;
	struct mum_timer *sweep;
	bool stopping;
	struct mum_lookup *probe;	/* NULL: none under way */
	struct waiter *waiters;
	struct {
		uint64_t at;		/* host_now(); 0: none yet */
		int code;
		char text[LOG_TEXT_MAX + 200];
	} verdict;
};

static const struct mum_host *host_of(const struct metrics_server *server)
{
	return server->service->host;
}

/* ---- replies ---- */

/* Empties the buffer. */
static void reply(struct evhttp_request *request, int code, const char *type,
		  struct evbuffer *body)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	char length[32];

	snprintf(length, sizeof(length), "%zu", evbuffer_get_length(body));
	evhttp_add_header(headers, "Content-Type", type);
	evhttp_add_header(headers, "Content-Length", length);
	evhttp_add_header(headers, "Connection", "close");
	evhttp_add_header(headers, "Cache-Control", "no-store");
	if (evhttp_request_get_command(request) == EVHTTP_REQ_HEAD)
		evbuffer_drain(body, evbuffer_get_length(body));
	evhttp_send_reply(request, code, NULL, body);
}

static void reply_text(struct evhttp_request *request, int code, const char *text)
{
	struct evbuffer *body = evbuffer_new();

	evbuffer_add_printf(body, "%s\n", text);
	reply(request, code, "text/plain; charset=utf-8", body);
	evbuffer_free(body);
}

static void reply_metrics(struct metrics_server *server, struct evhttp_request *request)
{
	struct buf page = BUF_INIT(PAGE_MAX);
	struct evbuffer *body = evbuffer_new();

	server->page(&page, server->arg);
	if (page.failed) {
		reply_text(request, HTTP_INTERNAL, "too much to show");
	} else {
		evbuffer_add(body, page.data, page.len);
		reply(request, HTTP_OK, METRICS_CONTENT_TYPE, body);
	}
	evbuffer_free(body);
	buf_free(&page);
}

/* ---- readiness ---- */

/* Does the cache hold answers that may still be given? */
static bool has_stale_answers(const struct metrics_server *server)
{
	const struct mum_core *core = server->service->core;
	const struct mum_stats *stats = mum_core_stats(core);

	return stats->cached > 0 && host_now(host_of(server)) - stats->answered_ms <=
					    mum_core_config(core)->cache.stale;
}

static void set_verdict(struct metrics_server *server, const struct mum_answer *answer)
{
	char *text = server->verdict.text;
	size_t size = sizeof(server->verdict.text);

	server->verdict.at = host_now(host_of(server));
	server->verdict.code = HTTP_OK;
	if (answer->status == MUM_FOUND) {
		snprintf(text, size, "ready");
	} else if (has_stale_answers(server)) {
		snprintf(text, size, "ready: known addresses are answered from the cache, "
				     "for the database does not answer: %s",
			 LOG_TEXT(answer->reason));
	} else {
		server->verdict.code = HTTP_SERVUNAVAIL;
		snprintf(text, size, "not ready: the database does not answer: %s",
			 LOG_TEXT(answer->reason));
	}
}

static void on_probe(const struct mum_answer *answer, void *arg)
{
	struct metrics_server *server = arg;

	server->probe = NULL;
	set_verdict(server, answer);
	while (server->waiters != NULL) {
		struct waiter *waiter = server->waiters;
		struct evhttp_request *request = waiter->request;

		LL_DELETE(server->waiters, waiter);
		free(waiter);
		/* If the client is gone, this only frees the request. */
		reply_text(request, server->verdict.code, server->verdict.text);
	}
}

static void start_probe(struct metrics_server *server)
{
	struct mum_core *core = server->service->core;
	unsigned deadline = mum_core_config(core)->database.deadline;

	if (server->probe == NULL)
		server->probe = mum_core_probe(
			core, deadline < PROBE_MAX ? deadline : PROBE_MAX, on_probe, server);
}

static void reply_ready(struct metrics_server *server, struct evhttp_request *request)
{
	struct waiter *waiter;

	if (server->stopping) {
		reply_text(request, HTTP_SERVUNAVAIL, "not ready: stopping");
		return;
	}
	if (server->verdict.at != 0 &&
	    host_now(host_of(server)) - server->verdict.at < VERDICT_KEPT) {
		reply_text(request, server->verdict.code, server->verdict.text);
		return;
	}
	waiter = xcalloc(1, sizeof(*waiter));
	waiter->request = request;
	LL_PREPEND(server->waiters, waiter);
	start_probe(server);
}

/* ---- connections ---- */

static void sweep_in(struct metrics_server *server, unsigned ms);

static void connection_end(struct connection *connection)
{
	struct metrics_server *server = connection->server;

	/* If libevent still has the connection, it sees the end and drops it. */
	shutdown(bufferevent_getfd(connection->bev), SHUT_RDWR);
	bufferevent_decref(connection->bev);
	DL_DELETE(server->connections, connection);
	server->connections_count--;
	free(connection);
}

/* libevent removes its callbacks when it is done with a connection. */
static bool is_done(const struct connection *connection)
{
	bufferevent_data_cb read_cb, write_cb;
	bufferevent_event_cb event_cb;
	void *arg;

	bufferevent_getcb(connection->bev, &read_cb, &write_cb, &event_cb, &arg);
	return event_cb == NULL;
}

/* Ends connections that are done or took too long, and lets others in. */
static void on_sweep(void *arg)
{
	struct metrics_server *server = arg;
	uint64_t now = host_now(host_of(server));
	struct connection *connection, *next;

	server->sweep = NULL;
	DL_FOREACH_SAFE(server->connections, connection, next) {
		if (now >= connection->until || is_done(connection))
			connection_end(connection);
	}
	sweep_in(server, server->connections_count < CONNECTIONS_MAX ? SWEEP_EVERY
								       : SWEEP_FULL);
	if (server->connections_count < CONNECTIONS_MAX)
		evconnlistener_enable(server->accepting);
}

static void pause_accept(struct metrics_server *server)
{
	evconnlistener_disable(server->accepting);
	host_untimer(host_of(server), &server->sweep);
	sweep_in(server, SWEEP_FULL);
}

static void sweep_in(struct metrics_server *server, unsigned ms)
{
	const struct mum_host *host = host_of(server);

	if (ms == 0)
		host_untimer(host, &server->sweep);
	if (server->sweep == NULL)
		server->sweep = host->ops->timer(host->ctx, ms, on_sweep, server);
}

/*
 * There are no descriptors left; the other listeners log that, and on_sweep() tries again.
 */
static void on_accept_error(struct evconnlistener *accepting, void *arg)
{
	(void)arg;	/* libevent's */
	evconnlistener_disable(accepting);
}

/* Makes the bufferevent of each accepted connection. */
static struct bufferevent *on_connect(struct event_base *base, void *arg)
{
	struct metrics_server *server = arg;
	struct connection *connection;
	struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);

	if (bev == NULL)
		abort();	/* only without memory */
	bufferevent_setwatermark(bev, EV_READ, 0, INPUT_MAX);
	bufferevent_incref(bev);
	connection = xcalloc(1, sizeof(*connection));
	connection->server = server;
	connection->bev = bev;
	connection->until = host_now(host_of(server)) + LIFETIME;
	DL_APPEND(server->connections, connection);
	if (++server->connections_count >= CONNECTIONS_MAX)
		pause_accept(server);
	return bev;
}

/*
 * libevent still uses the descriptor for a moment, so the connection ends a little later.
 */
static void on_close(struct evhttp_connection *http, void *arg)
{
	struct metrics_server *server = arg;
	struct connection *connection;

	DL_SEARCH_SCALAR(server->connections, connection, bev,
			 evhttp_connection_get_bufferevent(http));
	if (connection != NULL)
		connection->until = 0;
	sweep_in(server, 0);
}

static void on_request(struct evhttp_request *request, void *arg)
{
	struct metrics_server *server = arg;
	const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));

	evhttp_connection_set_closecb(evhttp_request_get_connection(request), on_close,
				      server);
	if (path == NULL)
		path = "";
	if (strcmp(path, "/metrics") == 0)
		reply_metrics(server, request);
	else if (strcmp(path, "/healthz") == 0)
		reply_text(request, HTTP_OK, "alive");
	else if (strcmp(path, "/readyz") == 0)
		reply_ready(server, request);
	else
		reply_text(request, HTTP_NOTFOUND, "see /metrics, /healthz and /readyz");
}

/* ---- life ---- */

static bool start_http(struct metrics_server *server, struct event_base *base)
{
	server->http = evhttp_new(base);
	if (server->http == NULL)
		return false;
	evhttp_set_allowed_methods(server->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_max_headers_size(server->http, HEADERS_MAX);
	evhttp_set_max_body_size(server->http, 0);
	evhttp_set_timeout(server->http, SILENCE_MAX);
	evhttp_set_bevcb(server->http, on_connect, server);
	evhttp_set_gencb(server->http, on_request, server);
	server->accepting = evconnlistener_new(base, NULL, NULL, LEV_OPT_CLOSE_ON_EXEC,
					       SOMAXCONN, server->sock.fd);
	if (server->accepting == NULL)
		return false;
	evconnlistener_set_error_cb(server->accepting, on_accept_error);
	if (evhttp_bind_listener(server->http, server->accepting) != NULL)
		return true;
	evconnlistener_free(server->accepting);
	return false;
}

struct metrics_server *metrics_server_new(struct event_base *base, struct service *service,
					  struct listen_socket *sock, metrics_page_fn *page,
					  void *arg)
{
	struct metrics_server *server = xcalloc(1, sizeof(*server));
	int error;

	server->service = service;
	server->page = page;
	server->arg = arg;
	server->sock = *sock;
	*sock = (struct listen_socket){ -1, NULL };
	if (start_http(server, base)) {
		sweep_in(server, SWEEP_EVERY);
		return server;
	}
	error = errno;
	metrics_server_free(&server);
	errno = error;
	return NULL;
}

void metrics_server_stopping(struct metrics_server *server)
{
	server->stopping = true;
}

void metrics_server_free(struct metrics_server **_server)
{
	struct metrics_server *server = *_server;

	*_server = NULL;
	if (server == NULL)
		return;
	mum_lookup_cancel(&server->probe);
	while (server->waiters != NULL) {
		struct waiter *waiter = server->waiters;

		LL_DELETE(server->waiters, waiter);
		/* The client is gone, so nobody else frees the request. */
		if (evhttp_request_get_connection(waiter->request) == NULL)
			evhttp_request_free(waiter->request);
		free(waiter);
	}
	/* This frees the requests, also those that wait, and the listener. */
	if (server->http != NULL)
		evhttp_free(server->http);
	while (server->connections != NULL)
		connection_end(server->connections);
	host_untimer(host_of(server), &server->sweep);
	listen_socket_close(&server->sock);
	free(server);
}
