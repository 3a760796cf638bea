/* SPDX-License-Identifier: MIT */
#include "tests/unit/quota-server.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/unit.h"

void quota_server_init(struct quota_server *server, struct fake_host *fake)
{
	memset(server, 0, sizeof(*server));
	server->fake = fake;
	server->accepts = server->answers_probes = true;
	server->listener = -1;
	scratch_init(&server->scratch);
	snprintf(server->path, sizeof(server->path), "%s/socket", server->scratch.path);
	quota_server_listen(server);
}

void quota_server_listen(struct quota_server *server)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(address.sun_path, server->path);
	server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (bind(server->listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
	    listen(server->listener, 16) != 0)
		fail_msg("no socket %s", server->path);
}

void quota_server_close(struct quota_server *server, size_t conn)
{
	if (server->fds[conn] >= 0)
		close(server->fds[conn]);
	server->fds[conn] = -1;
	server->asked[conn][0] = '\0';
}

void quota_server_end(struct quota_server *server)
{
	if (server->listener >= 0)
		close(server->listener);
	server->listener = -1;
	unlink(server->path);
	for (size_t i = 0; i < server->count; i++)
		quota_server_close(server, i);
}

void quota_server_free(struct quota_server *server)
{
	quota_server_end(server);
	scratch_free(&server->scratch);
}

static bool accept_one(struct quota_server *server)
{
	int fd = server->accepts && server->listener >= 0
			 ? accept4(server->listener, NULL, NULL, SOCK_NONBLOCK) : -1;

	if (fd < 0)
		return false;
	assert_true(server->count < QUOTA_SERVER_CONNS);
	server->asked[server->count][0] = '\0';
	server->fds[server->count++] = fd;
	return true;
}

/* The client may be gone. */
static void put(struct quota_server *server, size_t conn, const char *bytes)
{
	server->asked[conn][0] = '\0';
	(void)!send(server->fds[conn], bytes, strlen(bytes), MSG_NOSIGNAL);
}

/* Reads one whole request; a client sends no second one before the reply. */
static bool read_one(struct quota_server *server, size_t conn)
{
	char bytes[1024], recipient[300], size[40];
	ssize_t len = server->fds[conn] < 0 ? -1
					    : read(server->fds[conn], bytes, sizeof(bytes) - 1);

	if (len == 0)
		quota_server_close(server, conn);
	if (len <= 0)
		return len == 0;
	bytes[len] = '\0';
	if (sscanf(bytes, "request=smtpd_access_policy\nprotocol_state=RCPT\n"
			  "recipient=%299[^\n]\nsize=%39[^\n]\n\n", recipient, size) != 2)
		fail_msg("asked: %s", bytes);
	snprintf(server->asked[conn], sizeof(server->asked[conn]), "%s %s", recipient, size);
	if (strncmp(recipient, "mumd-probe-", 11) == 0) {
		server->probes++;
		if (server->answers_probes)
			put(server, conn, "action=DUNNO\n\n");
	}
	return true;
}

static bool client_reads(struct quota_server *server)
{
	bool any = false;

	for (int fd = 3; fd < 128; fd++) {
		struct pollfd ready = { fd, POLLIN, 0 };

		if (poll(&ready, 1, 0) == 1 && (ready.revents & POLLNVAL) == 0 &&
		    fake_host_ready(server->fake, fd, MUM_READ))
			any = true;
	}
	return any;
}

void quota_server_turn(struct quota_server *server)
{
	bool again;

	do {
		again = fake_host_settle(server->fake, 10) > 0;
		again = client_reads(server) || again;
		again = accept_one(server) || again;
		for (size_t i = 0; i < server->count; i++)
			again = read_one(server, i) || again;
	} while (again);
}

void quota_server_say(struct quota_server *server, size_t conn, const char *bytes)
{
	put(server, conn, bytes);
	quota_server_turn(server);
}

size_t quota_server_find(const struct quota_server *server, const char *recipient)
{
	size_t len = strlen(recipient);

	for (size_t i = 0; i < server->count; i++) {
		if (strncmp(server->asked[i], recipient, len) == 0)
			return i;
	}
	return QUOTA_SERVER_CONNS;
}

size_t quota_server_open(const struct quota_server *server)
{
	size_t count = 0;

	for (size_t i = 0; i < server->count; i++)
		count += server->fds[i] >= 0;
	return count;
}

static void on_answer(enum quota_answer answer, const char *text, void *arg)
{
	struct quota_asker *asker = arg;

	asker->question = NULL;
	asker->answers++;
	asker->answer = answer;
	snprintf(asker->text, sizeof(asker->text), "%s", text);
}

void quota_server_ask(struct quota_server *server, struct quota_client *client,
		      const char *mailbox, struct quota_asker *asker)
{
	memset(asker, 0, sizeof(*asker));
	asker->question = quota_ask(client, mailbox, 7, QUOTA_DEADLINE, on_answer, asker);
	WANT("not from inside the call", asker->answers == 0);
	quota_server_turn(server);
}
