/* SPDX-License-Identifier: MIT */
/*
 * Questions that nobody waits for any more: their callers have been told that there is no
 * answer. They keep their connections, and the service may answer them later.
 *
 * A mailbox may be slow, so one late question says nothing. But when the mail of all lies on
 * a disk that hangs, probes about a name that nobody has are answered still. So when several
 * mailboxes are late, and none was answered about in between, that is the service. It works
 * again when one of them is answered about.
 */
#ifndef MUM_QUOTA_LATE_H
#define MUM_QUOTA_LATE_H

#include "postfix-policy/quota/conn.h"

enum { QUOTA_LATE_MAX = 3 };	/* mailboxes */

typedef void quota_late_fn(const char *mailbox, uint64_t size, enum quota_answer answer,
			   void *arg);

struct quota_late {
	struct quota_conns conns;	/* one for each mailbox */
	quota_late_fn *answered;	/* from the loop; the question is gone then */
	void *arg;
};

/* Nothing is late. */
void quota_late_init(struct quota_late *late, const struct mum_host *host,
		     quota_late_fn *answered, void *arg);

/*
 * Takes over the connection and its question. False: the same mailbox is late already, and
 * the connection stays the caller's. Not when it is full.
 */
bool quota_late_add(struct quota_late *late, struct quota_conn *conn, const char *mailbox,
		    uint64_t size);
/* Are so many late that it is the service? */
bool quota_late_is_full(const struct quota_late *late);
/* Closes the connections. */
void quota_late_clear(struct quota_late *late);

#endif
