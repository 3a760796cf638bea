/* SPDX-License-Identifier: MIT */
/* Connections to Dovecot's quota-status; each has one question at a time. */
#ifndef MUM_QUOTA_CONN_H
#define MUM_QUOTA_CONN_H

#include "common/host.h"
#include "postfix-policy/protocol/quota-status.h"

struct quota_conn;
struct quota_question;	/* the caller's; a connection only holds a pointer to it */

struct quota_conn_handler {
	/* A whole answer; the connection is idle again. text is gone when this returns. */
	void (*answered)(struct quota_question *question, enum quota_answer answer,
			 const char *text, void *arg);
	/*
	 * The connection broke, and is gone. question: NULL if it was idle. stale: it had
	 * answered before, but nothing to this question. It may have been closed while it was
	 * idle, so ask the question again on a new one.
	 */
	void (*broken)(struct quota_question *question, bool stale, const char *why,
		       void *arg);
};

/* Ready if all but host, handler and arg is zero. The callbacks come from the loop. */
struct quota_conns {
	const struct mum_host *host;
	const struct quota_conn_handler *handler;
	void *arg;
	struct quota_conn *list;	/* the one used last comes first */
	size_t count;
};

/* NULL sets *why_r. */
struct quota_conn *quota_conn_open(struct quota_conns *conns, const char *path,
				   const char **why_r);
/* Closes it; no callback runs. */
void quota_conn_close(struct quota_conn *conn);
void quota_conns_close_idle(struct quota_conns *conns);

/* NULL: there is none. */
struct quota_conn *quota_conns_idle(const struct quota_conns *conns);
size_t quota_conns_busy(const struct quota_conns *conns);

/* False: it was closed while it was idle, and is gone. */
bool quota_conn_ask(struct quota_conn *conn, struct quota_question *question,
		    const char *mailbox, uint64_t size);

#endif
