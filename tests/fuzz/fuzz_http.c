/* SPDX-License-Identifier: MIT */
/* Requests to the port of the metrics, through libevent's HTTP server. */
#include "postfix-policy/metrics-server.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/core.h"
#include "postfix-policy/host-libevent.h"
#include "tests/fuzz/fuzz.h"

enum { TURNS = 8, REPLY_MAX = 65536 };

static const char page[] = "mum_up 1\n";

/* ---- the core ---- */

struct mum_core {
	enum mum_status status;		/* of the probe */
	unsigned delay;			/* ms until it answers; 0: the next turn */
	struct mum_config config;
	struct mum_stats stats;
};

struct mum_lookup {
	const struct mum_host *host;
	struct mum_timer *timer;
	const struct mum_core *core;
	mum_answer_fn *fn;
	void *arg;
};

static struct event_base *base;
static struct host_libevent loop;

const struct mum_config *mum_core_config(const struct mum_core *core)
{
	return &core->config;
}

const struct mum_stats *mum_core_stats(const struct mum_core *core)
{
	return &core->stats;
}

static void on_probed(void *arg)
{
	struct mum_lookup *lookup = arg;
	struct mum_answer answer = { .status = lookup->core->status, .reason = "a reason" };

	lookup->fn(&answer, lookup->arg);
	free(lookup);
}

struct mum_lookup *mum_core_probe(struct mum_core *core, unsigned deadline_ms,
				  mum_answer_fn *fn, void *arg)
{
	struct mum_lookup *lookup = calloc(1, sizeof(*lookup));

	HOLDS(deadline_ms == core->config.database.deadline);
	*lookup = (struct mum_lookup){ &loop.host, NULL, core, fn, arg };
	lookup->timer = loop.host.ops->timer(loop.host.ctx, core->delay, on_probed, lookup);
	return lookup;
}

void mum_lookup_cancel(struct mum_lookup **lookup)
{
	if (*lookup != NULL)
		host_untimer(&loop.host, &(*lookup)->timer);
	free(*lookup);
	*lookup = NULL;
}

static void put_page(struct buf *out, void *arg)
{
	HOLDS(arg == NULL);
	buf_puts(out, page);
}

/* ---- the client ---- */

/* The kernel chooses a name that is in no folder. */
static int listen_anywhere(struct sockaddr_un *address_r, socklen_t *len_r)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	*address_r = (struct sockaddr_un){ .sun_family = AF_UNIX };
	HOLDS(fd >= 0 && bind(fd, (struct sockaddr *)address_r, sizeof(sa_family_t)) == 0);
	*len_r = sizeof(*address_r);
	HOLDS(getsockname(fd, (struct sockaddr *)address_r, len_r) == 0);
	return fd;
}

struct client {
	int fd;
	size_t len;
	char reply[REPLY_MAX];
};

static void client_connect(struct client *client, const struct sockaddr_un *address,
			   socklen_t len)
{
	client->len = 0;
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	HOLDS(client->fd >= 0 &&
	      connect(client->fd, (const struct sockaddr *)address, len) == 0);
}

static void client_read(struct client *client)
{
	ssize_t count;

	while ((count = recv(client->fd, client->reply + client->len, REPLY_MAX - client->len,
			     MSG_DONTWAIT)) > 0)
		client->len += (size_t)count;
	HOLDS(client->len < REPLY_MAX);
}

static void client_send(struct client *client, const uint8_t *bytes, size_t size)
{
	if (size > 0)
		(void)!send(client->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
	for (int i = 0; i < TURNS; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	client_read(client);
}

/* ---- what must hold ---- */

static bool is_one_of(const char *text, const char *const *list)
{
	for (; *list != NULL; list++) {
		if (strncasecmp(text, *list, strlen(*list)) == 0)
			return true;
	}
	return false;
}

/* Nothing in a request makes a line of the reply. */
static void check_header(const char *header)
{
	static const char *const names[] = {
		"Content-Type: ", "Content-Length: ", "Connection: close", "Cache-Control: no-store",
		"Date: ", NULL
	};

	while ((header = strstr(header, "\r\n")) != NULL && header[2] != '\0') {
		header += 2;
		HOLDS(is_one_of(header, names));
	}
}

/* The version is that of the request. */
static const char *status_of(const char *reply)
{
	return reply + 5 + strspn(reply + 5, "-0123456789.") + 1;
}

static void check_body(const char *body, const char *header)
{
	static const char *const bodies[] = { "mum_up 1\n", "alive\n", "ready", NULL };
	static const char *const errors[] = { "<HTML><HEAD>\n<TITLE>4", "<HTML><HEAD>\n<TITLE>5",
					      NULL };
	const char *length = strcasestr(header, "\r\nContent-Length: ");

	/* What libevent says by itself goes on to the end of the connection. */
	if (length == NULL) {
		HOLDS(is_one_of(body, errors) && *status_of(header) >= '4');
		return;
	}
	if (*body == '\0')
		return;		/* of HEAD */
	HOLDS(strtoul(length + 18, NULL, 10) == strlen(body));
	if (strncmp(status_of(header), "200", 3) == 0)
		HOLDS(is_one_of(body, bodies));
}

/* One reply, or none, whatever came. */
static void check_reply(char *reply, size_t len)
{
	static const char *const statuses[] = { "200", "400", "404", "413", "500", "501", "503",
						NULL };
	char *body;

	if (len == 0)
		return;
	HOLDS(strlen(reply) == len);
	HOLDS(strncmp(reply, "HTTP/", 5) == 0 && is_one_of(status_of(reply), statuses));
	body = strstr(reply, "\r\n\r\n");
	HOLDS(body != NULL);
	body += 2;
	*body = '\0';
	check_header(reply);
	check_body(body + 2, reply);
	fuzz_reached();
}

static void set_up(void)
{
	if (base != NULL)
		return;
	base = event_base_new();
	HOLDS(base != NULL);
	host_libevent_init(&loop, base, true);
}

/* The second client only connects, or asks first whether mumd is ready. */
static void ask(struct metrics_server *server, const struct sockaddr_un *address,
		socklen_t len, struct feed *feed)
{
	static const char readyz[] = "GET /readyz HTTP/1.0\r\n\r\n";
	unsigned choice = feed_byte(feed);
	size_t first = feed->size * feed_byte(feed) / 256;
	static struct client client, other;

	client_connect(&other, address, len);
	client_send(&other, (const uint8_t *)readyz, choice % 2 == 0 ? 0 : strlen(readyz));
	if (choice / 2 % 4 == 3)
		metrics_server_stopping(server);
	client_connect(&client, address, len);
	client_send(&client, feed->data, first);
	client_send(&client, feed->data + first, feed->size - first);
	metrics_server_free(&server);
	client_read(&client);
	client.reply[client.len] = '\0';
	close(client.fd);
	close(other.fd);
	check_reply(client.reply, client.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed feed = { data, size };
	unsigned choice = feed_byte(&feed);
	struct mum_core core = { .status = choice % 2 == 0 ? MUM_FOUND : MUM_TEMPFAIL,
				 .delay = choice / 4 % 4 == 3 ? 10000 : 0,
				 .config = { .database = { .deadline = 1000 },
					     .cache = { .stale = 1000000 } },
				 .stats = { .cached = choice / 2 % 2 } };
	struct service service = { .host = &loop.host, .core = &core };
	struct sockaddr_un address;
	struct metrics_server *server;
	struct listen_socket sock;
	socklen_t len;

	set_up();
	core.stats.answered_ms = host_now(&loop.host);
	sock = (struct listen_socket){ listen_anywhere(&address, &len), NULL };
	server = metrics_server_new(base, &service, &sock, put_page, NULL);
	HOLDS(server != NULL);
	ask(server, &address, len, &feed);
	return 0;
}
