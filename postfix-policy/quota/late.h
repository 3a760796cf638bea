/* SPDX-License-Identifier: MIT */
/*
 * Mailboxes about which an answer is late: who asked has been told that there is none. The
 * newest keep their connections, on which the answer may come still.
 *
 * Nobody asks about such a mailbox again meanwhile. Each question would take one more
 * process of Dovecot, until there are no more.
 *
 * A mailbox may be slow, so one says nothing about the service. But when the mail of all lies
 * on a disk that hangs, probes about a name that nobody has are answered still. So when several
 * mailboxes are late, and none was answered about in between, that is the service. It works
 * again when one of them is answered about.
 */
#ifndef MUM_QUOTA_LATE_H
#define MUM_QUOTA_LATE_H

#include "postfix-policy/quota/conn.h"

enum {
	QUOTA_LATE_CONNECTIONS = 3,
	QUOTA_LATE_MAILBOXES = 100,
	QUOTA_LATE_FORGET = 30000	/* ms; a mailbox without a connection is asked about again */
};

struct late_mailbox;

typedef void quota_late_fn(const char *mailbox, uint64_t size, enum quota_answer answer,
			   void *arg);

struct quota_late {
	struct quota_conns conns;	/* of the newest mailboxes, one for each */
	struct late_mailbox *mailboxes;	/* oldest first */
	size_t count;			/* of them */
	size_t row;			/* of them: nobody was answered about since */
	quota_late_fn *answered;	/* from the loop; the mailbox is not late any more */
	void *arg;
};

/* Nothing is late. */
void quota_late_init(struct quota_late *late, const struct mum_host *host,
		     quota_late_fn *answered, void *arg);

/*
 * Takes over the connection and its question. False: the same mailbox is late already, and
 * the connection stays the caller's.
 */
bool quota_late_add(struct quota_late *late, struct quota_conn *conn, const char *mailbox,
		    uint64_t size);
bool quota_late_has(struct quota_late *late, const char *mailbox);
/* Are so many late in a row that it is the service? */
bool quota_late_is_service(const struct quota_late *late);
/* A mailbox was answered about in time. */
void quota_late_end_row(struct quota_late *late);
/* Closes the connections. */
void quota_late_clear(struct quota_late *late);

#endif
