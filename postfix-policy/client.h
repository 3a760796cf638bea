/* SPDX-License-Identifier: MIT */
/*
 * One accepted socket: bytes in, bytes out, one request at a time. It knows no
 * protocol. A client that sends nothing costs this struct and no buffer.
 */
#ifndef MUM_CLIENT_H
#define MUM_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "postfix-policy/protocol/counts.h"

struct client;
struct clients;		/* all clients of the daemon, the longest idle first */
struct mum_host;

/* What a protocol does with a client. arg is what client_new() was given. */
struct client_handler {
	const char *name;	/* for the log */
	size_t request_max;	/* bytes that one request may need */
	/*
	 * Gets the bytes from the start of a request. If the request is whole, begins
	 * it and returns its length: the client is then busy until
	 * client_reply_done(), which may be called at once. Returns 0 when it needs
	 * more bytes; -1 when they are bad, and sets *why (static).
	 */
	long (*request)(void *arg, const char *bytes, size_t len, const char **why);
	/* The client goes away; free arg. */
	void (*closed)(void *arg);
};

/* A client must send a whole request, and read its reply, within patience_ms. */
struct clients *clients_new(const struct mum_host *host, size_t clients_max,
			    unsigned patience_ms);
/* Closes all clients. */
void clients_free(struct clients **clients);
void clients_set_max(struct clients *clients, size_t clients_max);
size_t clients_count(const struct clients *clients);
struct client_counts clients_counts(const struct clients *clients);
/*
 * Closes each client: at once if it is not busy, else when its reply is sent. New
 * ones are closed when they send.
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
