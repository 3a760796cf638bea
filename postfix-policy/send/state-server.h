/* SPDX-License-Identifier: MIT */
/*
 * The socket of mumctl senders: a client gets the whole text, then the end of file. It serves
 * a few clients at a time, each for a few seconds; others get the end of file at once.
 */
#ifndef MUM_STATE_SERVER_H
#define MUM_STATE_SERVER_H

#include "common/buf.h"
#include "common/host.h"
#include "postfix-policy/listen-socket.h"

struct state_server;

/* Appends the text. */
typedef void state_text_fn(struct buf *out, void *arg);

/* Takes over the socket, even if it fails: then NULL with errno. The host outlives it. */
struct state_server *state_server_new(const struct mum_host *host,
				      struct listen_socket *sock, state_text_fn *put,
				      void *arg);
/* Sets NULL; NULL is fine. */
void state_server_free(struct state_server **server);

#endif
