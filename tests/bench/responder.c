/* SPDX-License-Identifier: MIT */
/*
 * mum-responder: answers every request at once and knows nothing. What it
 * reaches is the limit for a server with one thread and one loop.
 */
#include "wire.h"

#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define EVENTS 256
#define BUFFER 4096
#define MAX_REPLIES 16

static const char usage_text[] =
"usage: mum-responder [options] PATH\n"
"\n"
"Listens on the unix socket PATH and answers every request at once.\n"
"\n"
"  --protocol P      socketmap (default) or policy\n"
"  --reply MAP=TEXT  answer TEXT for this map (default \"OK 1\"); repeatable\n"
"  --mode MODE       access rights of the socket, octal (default 0666)\n";

struct reply {
	const char *map;
	size_t map_len;
	struct wire_bytes bytes;
};

struct client {
	int fd;
	size_t buf_len;
	char buf[BUFFER];
};

struct responder {
	enum wire_protocol protocol;
	const char *path;
	mode_t mode;
	/* Tried in order; the last one is for whatever came. */
	struct reply replies[MAX_REPLIES + 1];
	size_t replies_count;
	int epoll;
	int listener;
};

static volatile sig_atomic_t stop_wanted;

static void on_signal(int signal_number)
{
	(void)signal_number;
	stop_wanted = 1;
}

static struct wire_bytes make_reply(enum wire_protocol protocol,
				    const char *text)
{
	struct wire_bytes bytes;
	int len;

	if (protocol == WIRE_POLICY)
		len = asprintf(&bytes.data, "action=%s\n\n", text);
	else
		len = asprintf(&bytes.data, "%zu:%s,", strlen(text), text);
	if (len < 0)
		err(1, "reply");
	bytes.len = (size_t)len;
	return bytes;
}

static const struct wire_bytes *find_reply(const struct responder *responder,
					   const struct wire_frame *frame)
{
	size_t i;

	for (i = 0; i + 1 < responder->replies_count; i++) {
		const struct reply *reply = &responder->replies[i];

		if (frame->text_len > reply->map_len &&
		    frame->text[reply->map_len] == ' ' &&
		    memcmp(frame->text, reply->map, reply->map_len) == 0)
			break;
	}
	return &responder->replies[i].bytes;
}

/* False when the client is of no use any more. */
static bool client_answer(const struct responder *responder,
			  struct client *client)
{
	struct wire_frame frame;
	const struct wire_bytes *reply;
	enum wire_result result;
	size_t used = 0;

	while ((result = wire_parse_frame(responder->protocol,
					  client->buf + used,
					  client->buf_len - used,
					  &frame)) == WIRE_DONE) {
		reply = find_reply(responder, &frame);
		/* Serial clients read: a full socket buffer is a misuse. */
		if (send(client->fd, reply->data, reply->len,
			 MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)reply->len)
			return false;
		used += frame.used;
	}
	client->buf_len -= used;
	memmove(client->buf, client->buf + used, client->buf_len);
	return result == WIRE_MORE && client->buf_len < BUFFER;
}

static void client_on_readable(const struct responder *responder,
			       struct client *client)
{
	ssize_t got = recv(client->fd, client->buf + client->buf_len,
			   BUFFER - client->buf_len, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got > 0) {
		client->buf_len += (size_t)got;
		if (client_answer(responder, client))
			return;
	}
	close(client->fd);
	free(client);
}

static void accept_client(const struct responder *responder)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct client *client;
	int fd = accept4(responder->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	client = malloc(sizeof(*client));
	if (client == NULL)
		err(1, "client");
	client->fd = fd;
	client->buf_len = 0;
	event.data.ptr = client;
	if (epoll_ctl(responder->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		err(1, "epoll_ctl");
}

static void responder_listen(struct responder *responder)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct epoll_event event = { .events = EPOLLIN };

	if (strlen(responder->path) >= sizeof(address.sun_path))
		errx(2, "path too long: %s", responder->path);
	memcpy(address.sun_path, responder->path,
	       strlen(responder->path) + 1);
	unlink(responder->path);
	responder->epoll = epoll_create1(EPOLL_CLOEXEC);
	responder->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK |
				     SOCK_CLOEXEC, 0);
	if (responder->epoll < 0 || responder->listener < 0 ||
	    bind(responder->listener, (struct sockaddr *)&address,
		 sizeof(address)) != 0 ||
	    chmod(responder->path, responder->mode) != 0 ||
	    listen(responder->listener, SOMAXCONN) != 0 ||
	    epoll_ctl(responder->epoll, EPOLL_CTL_ADD, responder->listener,
		      &event) != 0)
		err(1, "%s", responder->path);
}

static void responder_run(const struct responder *responder)
{
	struct epoll_event events[EVENTS];
	int ready;

	while (!stop_wanted) {
		ready = epoll_wait(responder->epoll, events, EVENTS, -1);
		for (int i = 0; i < ready; i++) {
			if (events[i].data.ptr == NULL)
				accept_client(responder);
			else
				client_on_readable(responder,
						   events[i].data.ptr);
		}
	}
}

static void add_reply(struct responder *responder, char *text)
{
	char *equals = strchr(text, '=');
	struct reply *reply = &responder->replies[responder->replies_count];

	if (equals == NULL || responder->replies_count == MAX_REPLIES)
		errx(2, "want MAP=TEXT, up to %d times: %s", MAX_REPLIES,
		     text);
	*equals = '\0';
	*reply = (struct reply){ text, strlen(text),
				 make_reply(WIRE_SOCKETMAP, equals + 1) };
	responder->replies_count++;
}

static void read_options(struct responder *responder, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "protocol", required_argument, NULL, 'p' },
		{ "reply", required_argument, NULL, 'r' },
		{ "mode", required_argument, NULL, 'm' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) !=
	       -1) {
		if (option == 'h') {
			fputs(usage_text, stdout);
			exit(0);
		} else if (option == 'r') {
			add_reply(responder, optarg);
		} else if (option == 'm') {
			responder->mode = (mode_t)strtoul(optarg, NULL, 8);
		} else if (option == 'p' && strcmp(optarg, "policy") == 0) {
			responder->protocol = WIRE_POLICY;
		} else if (option != 'p' || strcmp(optarg, "socketmap") != 0) {
			errx(2, "see mum-responder --help");
		}
	}
	if (optind != argc - 1)
		errx(2, "want one PATH; see mum-responder --help");
	responder->path = argv[optind];
}

static void prepare_process(void)
{
	const struct sigaction action = { .sa_handler = on_signal };
	struct rlimit limit;

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
	struct responder responder = { .protocol = WIRE_SOCKETMAP,
				       .mode = 0666 };
	struct reply *fallback;

	read_options(&responder, argc, argv);
	fallback = &responder.replies[responder.replies_count++];
	fallback->bytes = make_reply(responder.protocol,
				     responder.protocol == WIRE_POLICY ?
				     "DUNNO" : "OK 1");
	prepare_process();
	responder_listen(&responder);
	responder_run(&responder);
	unlink(responder.path);
	for (size_t i = 0; i < responder.replies_count; i++)
		free(responder.replies[i].bytes.data);
	return 0;
}
