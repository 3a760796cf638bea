/* SPDX-License-Identifier: MIT */
/*
 * mum-load: many connections, each with one question in flight, as Postfix
 * asks. One thread, epoll, requests made before the clock starts: the
 * generator should cost less than what it measures.
 */
#include "load.h"

#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NS_PER_SECOND UINT64_C(1000000000)
#define FIRST_BUFFER 1024
#define EVENTS 256
/* How long answers may lag after the end before they count as missing. */
#define DRAIN_NS (5 * NS_PER_SECOND)
#define LATE_NS NS_PER_SECOND
/* For connect() and send(): a server that hangs must not hang us. */
#define BLOCK_SECONDS 5
#define RCPTS_PER_MAIL 10

enum smtp_step {
	SMTP_GREETING,
	SMTP_EHLO,
	SMTP_MAIL,
	SMTP_RCPT,		/* first of RCPTS_PER_MAIL */
	SMTP_RSET = SMTP_RCPT + RCPTS_PER_MAIL
};

struct conn {
	int fd;			/* -1 when closed */
	bool idle;
	bool waiting;		/* for a reply */
	bool counts;		/* the reply is one that we measure */
	int step;		/* SMTP only */
	uint64_t sent_ns;
	char *buf;
	size_t buf_len, buf_size;
};

struct load {
	struct load_options options;
	struct load_questions questions;
	struct load_result result;
	struct conn *conns;
	size_t conns_count;
	size_t waiting;		/* conns with a question in flight */
	uint64_t next_key;
	uint64_t sent;		/* measured questions, for --requests */
	bool stopping;		/* no further question */
	int epoll;
};

static int connect_unix(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct timeval limit = { .tv_sec = BLOCK_SECONDS };

	if (strlen(path) >= sizeof(address.sun_path))
		errx(2, "path too long: %s", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		err(1, "%s", path);
	return fd;
}

static int connect_inet(const char *text)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	const struct timeval limit = { .tv_sec = BLOCK_SECONDS };
	const char *colon = strrchr(text, ':');
	struct addrinfo *address;
	const int on = 1;
	char host[256];
	int fd, failed;

	if (colon == NULL || (size_t)(colon - text) >= sizeof(host))
		errx(2, "want PATH or HOST:PORT: %s", text);
	snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	failed = getaddrinfo(host, colon + 1, &hints, &address);
	if (failed)
		errx(1, "%s: %s", text, gai_strerror(failed));
	fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) ||
	    connect(fd, address->ai_addr, address->ai_addrlen) != 0)
		err(1, "%s", text);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	freeaddrinfo(address);
	return fd;
}

static int connect_server(const char *server)
{
	if (strncmp(server, "unix:", 5) == 0)
		return connect_unix(server + 5);
	if (strncmp(server, "inet:", 5) == 0)
		return connect_inet(server + 5);
	if (strchr(server, '/') != NULL)
		return connect_unix(server);
	return connect_inet(server);
}

static void conn_open(struct load *load, struct conn *conn, bool idle)
{
	struct epoll_event event = { .events = EPOLLIN,
				     .data = { .ptr = conn } };

	*conn = (struct conn){ .idle = idle, .buf_size = FIRST_BUFFER };
	conn->buf = malloc(conn->buf_size);
	if (conn->buf == NULL)
		err(1, "connection");
	conn->fd = connect_server(load->options.server);
	if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, conn->fd, &event) != 0)
		err(1, "epoll_ctl");
}

static void conn_close(struct load *load, struct conn *conn)
{
	if (conn->waiting)
		load->waiting--;
	conn->waiting = false;
	close(conn->fd);
	conn->fd = -1;
}

static void conn_lost(struct load *load, struct conn *conn)
{
	if (conn->idle)
		load->result.idle_lost++;
	else
		load->result.lost++;
	conn_close(load, conn);
}

static void conn_malformed(struct load *load, struct conn *conn,
			   const char *why)
{
	if (load->result.malformed++ == 0)
		warnx("%s: %.*s", why, (int)(conn->buf_len < 200 ?
		      conn->buf_len : 200), conn->buf);
	conn_close(load, conn);
}

static size_t next_question(struct load *load)
{
	return (size_t)(load->next_key++ % load->questions.count);
}

/* EHLO once, then MAIL, ten RCPT, RSET, MAIL, ... */
static struct wire_bytes smtp_next(struct load *load, struct conn *conn)
{
	static char ehlo[] = "EHLO client.example\r\n", rset[] = "RSET\r\n";
	size_t question;

	if (conn->step == SMTP_RSET)
		conn->step = SMTP_MAIL;
	else
		conn->step++;
	if (conn->step == SMTP_EHLO)
		return (struct wire_bytes){ ehlo, sizeof(ehlo) - 1 };
	if (conn->step == SMTP_RSET)
		return (struct wire_bytes){ rset, sizeof(rset) - 1 };
	question = next_question(load);
	if (conn->step == SMTP_MAIL)
		return load->questions.mails[question];
	conn->counts = true;
	return load->questions.asks[question];
}

static void conn_ask(struct load *load, struct conn *conn)
{
	struct wire_bytes ask;

	conn->counts = load->options.protocol != WIRE_SMTP;
	if (conn->counts)
		ask = load->questions.asks[next_question(load)];
	else
		ask = smtp_next(load, conn);
	/* Blocks if the server does not read; then SO_SNDTIMEO ends it. */
	if (send(conn->fd, ask.data, ask.len, MSG_NOSIGNAL) !=
	    (ssize_t)ask.len) {
		conn_lost(load, conn);
		return;
	}
	if (conn->counts && ++load->sent == load->options.requests)
		load->stopping = true;
	conn->waiting = true;
	load->waiting++;
}

/* The greeting of smtpd is a reply that nobody asked for. */
static void conn_begin(struct load *load, struct conn *conn)
{
	conn->sent_ns = meter_now_ns();
	if (load->options.protocol != WIRE_SMTP) {
		conn_ask(load, conn);
		return;
	}
	conn->step = SMTP_GREETING;
	conn->waiting = true;
	load->waiting++;
}

static void conn_on_reply(struct load *load, struct conn *conn,
			  const struct wire_frame *frame)
{
	const uint64_t now = meter_now_ns();
	char word[METER_WORD_SIZE];

	if (!wire_reply_word(load->options.protocol, frame, word,
			     sizeof(word))) {
		conn_malformed(load, conn, "malformed reply");
		return;
	}
	if (!conn->counts && word[0] != '2') {
		conn_malformed(load, conn, "refused");
		return;
	}
	if (conn->counts) {
		meter_latency_add(&load->result.latency, now - conn->sent_ns);
		meter_words_add(&load->result.words, word);
	}
	conn->buf_len = 0;
	conn->waiting = false;
	load->waiting--;
	conn->sent_ns = now;
	if (!load->stopping)
		conn_ask(load, conn);
}

static void conn_on_bytes(struct load *load, struct conn *conn)
{
	struct wire_frame frame;
	enum wire_result result;

	result = wire_parse_frame(load->options.protocol, conn->buf,
				  conn->buf_len, &frame);
	if (!conn->waiting || result == WIRE_BAD)
		conn_malformed(load, conn, "malformed reply");
	else if (result == WIRE_DONE && frame.used != conn->buf_len)
		conn_malformed(load, conn, "more than one reply");
	else if (result == WIRE_DONE)
		conn_on_reply(load, conn, &frame);
}

static void conn_on_readable(struct load *load, struct conn *conn)
{
	ssize_t got;

	if (conn->buf_len == conn->buf_size) {
		conn->buf_size *= 2;
		conn->buf = realloc(conn->buf, conn->buf_size);
		if (conn->buf == NULL)
			err(1, "reply");
	}
	got = recv(conn->fd, conn->buf + conn->buf_len,
		   conn->buf_size - conn->buf_len, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		conn_lost(load, conn);
		return;
	}
	conn->buf_len += (size_t)got;
	conn_on_bytes(load, conn);
}

/* Returns at the time until, or when nothing is in flight any more. */
static void load_loop(struct load *load, uint64_t until)
{
	struct epoll_event events[EVENTS];
	uint64_t now;
	int ready;

	while (load->waiting > 0 && (now = meter_now_ns()) < until) {
		ready = epoll_wait(load->epoll, events, EVENTS,
				   (int)((until - now) / 1000000) + 1);
		if (ready < 0 && errno != EINTR)
			err(1, "epoll_wait");
		for (int i = 0; i < ready; i++)
			conn_on_readable(load, events[i].data.ptr);
	}
}

static uint64_t process_cpu_ns(pid_t pid)
{
	uint64_t ns;

	if (!meter_process_cpu_ns(pid, &ns))
		errx(1, "no process %d", (int)pid);
	return ns;
}

/*
 * Keeps what began before the clock: a question asked in the warm-up and
 * answered after it counts, one answered after the end does not; over many
 * questions that is even.
 */
static void load_measure(struct load *load)
{
	const struct load_options *options = &load->options;
	struct load_result *result = &load->result;
	uint64_t began;

	result->latency = (struct meter_latency){ .count = 0 };
	result->words = (struct meter_words){ .used = 0 };
	for (size_t i = 0; i < options->pids_count; i++)
		result->process_cpu_ns[i] = process_cpu_ns(options->pids[i]);
	result->own_cpu_ns = meter_own_cpu_ns();
	began = meter_now_ns();
	load_loop(load, began + (uint64_t)(options->seconds * 1e9));
	result->elapsed_ns = meter_now_ns() - began;
	result->own_cpu_ns = meter_own_cpu_ns() - result->own_cpu_ns;
	for (size_t i = 0; i < options->pids_count; i++)
		result->process_cpu_ns[i] = process_cpu_ns(options->pids[i]) -
					    result->process_cpu_ns[i];
}

/* Rates come from the interval alone, but a late answer must still come. */
static void load_drain(struct load *load)
{
	const struct load_result measured = load->result;

	load->stopping = true;
	load->result.latency.max_ns = 0;
	load_loop(load, meter_now_ns() + DRAIN_NS);
	if (load->result.latency.max_ns > LATE_NS)
		warnx("an answer came %.0f ms after its question, too late to"
		      " be counted",
		      (double)load->result.latency.max_ns / 1e6);
	load->result.unanswered = load->waiting;
	load->result.latency = measured.latency;
	load->result.words = measured.words;
}

static void load_open(struct load *load)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	load->conns_count = load->options.clients + load->options.idle;
	load->conns = calloc(load->conns_count, sizeof(load->conns[0]));
	if (load->epoll < 0 || load->conns == NULL)
		err(1, "start");
	for (size_t i = 0; i < load->conns_count; i++)
		conn_open(load, &load->conns[i], i >= load->options.clients);
}

static void load_close(struct load *load)
{
	for (size_t i = 0; i < load->conns_count; i++) {
		if (load->conns[i].fd >= 0)
			conn_close(load, &load->conns[i]);
		free(load->conns[i].buf);
	}
	free(load->conns);
	close(load->epoll);
	load_free_questions(&load->questions);
}

int main(int argc, char **argv)
{
	static struct load load;	/* too large for a stack */
	const struct load_result *result = &load.result;

	load_read_options(argc, argv, &load.options);
	load_read_questions(&load.options, &load.questions);
	load.next_key = load.options.first_key;
	load_open(&load);
	for (size_t i = 0; i < load.options.clients; i++)
		if (!load.stopping)
			conn_begin(&load, &load.conns[i]);
	load_loop(&load, meter_now_ns() +
			 (uint64_t)(load.options.warmup * 1e9));
	load_measure(&load);
	load_drain(&load);
	load_print(&load.options, result);
	load_close(&load);
	return result->malformed > 0 || result->lost > 0 ||
	       result->unanswered > 0;
}
