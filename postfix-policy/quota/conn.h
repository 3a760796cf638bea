/* SPDX-License-Identifier: MIT */
/* Connections to Dovecot's quota-status; each has one question at a time. */
#ifndef MUM_QUOTA_CONN_H
#define MUM_QUOTA_CONN_H

#include "common/host.h"
#include "postfix-policy/protocol/quota-status.h"

struct quota_conn;

/* question: the caller's; a connection only holds a pointer to it. */

struct quota_conn_handler {
	/* A whole answer; the connection is idle again. text is gone when this returns. */
	void (*answered)(void *question, enum quota_answer answer, const char *text, void *arg);
	/*
	 * The connection broke, and is gone. question: NULL if it was idle. stale: it had
	 * answered before, but nothing to this question. It may have been closed while it was
	 * idle, so ask the question again on a new one.
	 */
	void (*broken)(void *question, bool stale, const char *why, void *arg);
};

/* Ready if all but host, handler and arg is zero. The callbacks come from the loop. */
struct quota_conns {
	const struct mum_host *host;
	const struct quota_conn_handler *handler;
	void *arg;
	struct quota_conn *list;	/* the one used last comes first */
	size_t count;
};

/* Asks on an idle connection. NULL: there is none. */
struct quota_conn *quota_conns_ask(struct quota_conns *conns, void *question,
				   const char *mailbox, uint64_t size);
/* Asks on a new one. NULL sets *why_r. */
struct quota_conn *quota_conns_ask_new(struct quota_conns *conns, const char *path,
				       void *question, const char *mailbox, uint64_t size,
				       const char **why_r);

/* Closes it; no callback runs. */
void quota_conn_close(struct quota_conn *conn);
void quota_conns_close_idle(struct quota_conns *conns);
/* Hands over one that waits for an answer; from now on that is the answer to question. */
void quota_conn_move(struct quota_conn *conn, struct quota_conns *to, void *question);

/* NULL: there is none. */
struct quota_conn *quota_conns_idle(const struct quota_conns *conns);
size_t quota_conns_busy(const struct quota_conns *conns);
/* For a walk through the list; NULL at its end. */
struct quota_conn *quota_conn_next(const struct quota_conn *conn);
void *quota_conn_question(const struct quota_conn *conn);	/* NULL: idle */

#endif
