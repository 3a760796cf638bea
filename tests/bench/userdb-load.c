/* SPDX-License-Identifier: MIT */
/*
 * mum-userdb-load: one connection to Dovecot's auth-userdb socket with so many
 * USER requests in flight, as a busy LMTP or doveadm asks. Blocking, and it
 * reads of a reply its first byte alone: the generator should cost less than
 * what it measures.
 */
#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "meter.h"

enum {
	KEYS_MAX = 1000000,
	REPLIES_SIZE = 65536,	/* bytes */
	ANSWER_SECONDS = 60	/* a server that hangs must not hang us */
};

struct load {
	int fd;
	char **requests;
	size_t requests_count;
	size_t sent, answered, found;
	bool line_begins;	/* the next byte read is the first of a reply */
};

static void connect_auth(struct load *load, const char *path)
{
	const struct timeval limit = { .tv_sec = ANSWER_SECONDS };
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		errx(2, "path too long: %s", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	load->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (load->fd < 0 ||
	    setsockopt(load->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) != 0 ||
	    connect(load->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		err(1, "%s", path);
}

static void send_all(const struct load *load, const char *data, size_t len)
{
	if (send(load->fd, data, len, MSG_NOSIGNAL) != (ssize_t)len)
		err(1, "send");
}

/* VERSION and SPID lines, in either direction. */
static void handshake(struct load *load)
{
	static const char ours[] = "VERSION\t1\t0\n";
	char text[1024];
	size_t len = 0;

	send_all(load, ours, sizeof(ours) - 1);
	while (len < sizeof(text)) {
		char *spid;
		ssize_t got = recv(load->fd, text + len, sizeof(text) - len, 0);

		if (got <= 0)
			errx(1, "no handshake");
		len += (size_t)got;
		spid = memmem(text, len, "SPID\t", 5);
		if (spid != NULL && memchr(spid, '\n', len - (size_t)(spid - text)) != NULL)
			return;
	}
	errx(1, "handshake too long");
}

static void read_names(struct load *load, const char *path)
{
	FILE *file = fopen(path, "re");
	char name[512];

	if (file == NULL)
		err(2, "%s", path);
	load->requests = calloc(KEYS_MAX, sizeof(load->requests[0]));
	if (load->requests == NULL)
		err(1, "names");
	while (load->requests_count < KEYS_MAX && fgets(name, sizeof(name), file) != NULL) {
		name[strcspn(name, "\n")] = '\0';
		if (asprintf(&load->requests[load->requests_count],
			     "USER\t%zu\t%s\tservice=lmtp\n", load->requests_count + 1,
			     name) < 0)
			err(1, "names");
		load->requests_count++;
	}
	fclose(file);
	if (load->requests_count == 0)
		errx(2, "%s: no names", path);
}

static void send_requests(struct load *load, size_t count)
{
	static char batch[REPLIES_SIZE];
	size_t len = 0;

	for (; count > 0; count--) {
		const char *request = load->requests[load->sent++ % load->requests_count];
		size_t request_len = strlen(request);

		if (len + request_len > sizeof(batch)) {
			send_all(load, batch, len);
			len = 0;
		}
		memcpy(batch + len, request, request_len);
		len += request_len;
	}
	send_all(load, batch, len);
}

/* How many replies these bytes end. */
static size_t count_replies(struct load *load, const char *data, size_t len)
{
	size_t replies = 0;

	for (size_t i = 0; i < len; i++) {
		if (load->line_begins)
			load->found += data[i] == 'U';	/* USER, not NOTFOUND or FAIL */
		load->line_begins = data[i] == '\n';
		replies += load->line_begins;
	}
	return replies;
}

/* Asks until the time is over, then waits for what is in flight. */
static uint64_t run(struct load *load, size_t window, double seconds)
{
	static char data[REPLIES_SIZE];
	const uint64_t began = meter_now_ns();
	const uint64_t end = began + (uint64_t)(seconds * 1e9);
	uint64_t now = began;

	load->line_begins = true;
	send_requests(load, window);
	while (load->answered < load->sent) {
		ssize_t got = recv(load->fd, data, sizeof(data), 0);
		size_t replies;

		if (got <= 0)
			errx(1, "no answer");
		replies = count_replies(load, data, (size_t)got);
		load->answered += replies;
		now = meter_now_ns();
		if (now < end && replies > 0)
			send_requests(load, replies);
	}
	return now - began;
}

int main(int argc, char **argv)
{
	struct load load = { .fd = -1 };
	size_t window;
	uint64_t elapsed_ns;

	if (argc != 5)
		errx(2, "usage: mum-userdb-load SOCKET NAMES_FILE IN_FLIGHT SECONDS");
	window = strtoul(argv[3], NULL, 10);
	if (window == 0 || window > 1024)
		errx(2, "want 1 to 1024 in flight: %s", argv[3]);
	read_names(&load, argv[2]);
	connect_auth(&load, argv[1]);
	handshake(&load);
	elapsed_ns = run(&load, window, strtod(argv[4], NULL));
	printf("%.1f per second, %zu answered, %zu found, own CPU %.2f us\n",
	       (double)load.answered * 1e9 / (double)elapsed_ns, load.answered, load.found,
	       (double)meter_own_cpu_ns() / 1e3 / (double)load.answered);
	close(load.fd);
	for (size_t i = 0; i < load.requests_count; i++)
		free(load.requests[i]);
	free(load.requests);
	return 0;
}
