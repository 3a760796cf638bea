/* SPDX-License-Identifier: MIT */
/*
 * One accepted socket: bytes in, bytes out, one request at a time. Knows no
 * protocol. A client that sends nothing costs this struct and no buffer.
 */
#ifndef MUM_CLIENT_H
#define MUM_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "postfix-policy/counts.h"

struct client;
struct clients;		/* all clients of the daemon, by how long they are idle */
struct mum_host;

/* What a protocol does with a client. arg is what client_new() was given. */
struct client_handler {
	const char *name;	/* for the log */
	size_t request_max;	/* bytes that one request may need */
	/*
	 * Bytes are there, from the start of a request. Returns how many it took
	 * for a whole request, which it has begun: the client is busy until
	 * client_reply_done(), which may come at once. 0 when it needs more; -1
	 * when they are bad, with *why (static).
	 */
	long (*request)(void *arg, const char *bytes, size_t len, const char **why);
	/* The client goes away; free arg. */
	void (*closed)(void *arg);
};

/*
 * patience_ms: a request that is not complete by then, or a reply that is not read,
 * closes its client.
 */
struct clients *clients_new(const struct mum_host *host, size_t clients_max,
			    unsigned patience_ms);
/* Closes all. */
void clients_free(struct clients **clients);
void clients_set_max(struct clients *clients, size_t clients_max);
size_t clients_count(const struct clients *clients);
struct client_counts clients_counts(const struct clients *clients);
/*
 * Closes those that are not busy, and each other one when its reply is out.
 * New ones are closed at once.
 */
void clients_drain(struct clients *clients);

/*
 * Takes over the descriptor, which is non-blocking. NULL when there are too many
 * and all are busy; then fd is closed and handler->closed is not called.
 */
struct client *client_new(struct clients *clients, int fd,
			  const struct client_handler *handler, void *arg);
/* Where to put the reply. */
struct buf *client_output(struct client *client);
/*
 * The reply is complete: sends it and goes on to the next request. The client
 * may be closed when this returns, unless it was called from handler->request.
 */
void client_reply_done(struct client *client);

#endif
