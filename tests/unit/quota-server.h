/* SPDX-License-Identifier: MIT */
/* A quota-status on a real socket, for a client on a fake host. The test is the service. */
#ifndef QUOTA_SERVER_H
#define QUOTA_SERVER_H

#include "postfix-policy/quota/client.h"
#include "tests/fakes/fake-host.h"
#include "tests/unit/scratch.h"

enum { QUOTA_SERVER_CONNS = 32 };

struct quota_server {
	struct fake_host *fake;
	struct scratch scratch;
	char path[128];
	int listener;		/* -1: nobody listens */
	bool accepts;		/* else connections stay in the kernel's queue */
	bool answers_probes;	/* by itself */
	size_t probes;		/* that it has read */
	size_t count;		/* connections so far; they have numbers */
	int fds[QUOTA_SERVER_CONNS];	/* -1: closed */
	char asked[QUOTA_SERVER_CONNS][400];	/* recipient and size; "": none yet */
};

void quota_server_init(struct quota_server *server, struct fake_host *fake);
void quota_server_listen(struct quota_server *server);
/* Closes the listener and all connections. */
void quota_server_end(struct quota_server *server);
void quota_server_free(struct quota_server *server);

/* Runs both ends until neither has anything to do. */
void quota_server_turn(struct quota_server *server);
/* Sends bytes on a connection, which ends its question, and turns. */
void quota_server_say(struct quota_server *server, size_t conn, const char *bytes);
void quota_server_close(struct quota_server *server, size_t conn);
/* The connection that asks about this recipient; QUOTA_SERVER_CONNS if there is none. */
size_t quota_server_find(const struct quota_server *server, const char *recipient);
size_t quota_server_open(const struct quota_server *server);

/* One who asks, and what it was told. */
struct quota_asker {
	struct quota_question *question;	/* NULL: refused or answered */
	unsigned answers;			/* 1 at most */
	enum quota_answer answer;
	char text[200];
};

/* Asks about a mail of 7 bytes, with the deadline of the tests, and turns. */
void quota_server_ask(struct quota_server *server, struct quota_client *client,
		      const char *mailbox, struct quota_asker *asker);

enum { QUOTA_DEADLINE = 1000 };	/* ms */

#endif
