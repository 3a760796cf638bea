/* SPDX-License-Identifier: MIT */
/*
 * What Dovecot's quota-status service is asked about a mailbox, and what its answers
 * mean. It speaks the protocol of policy services (policy.h). Pure.
 */
#ifndef MUM_QUOTA_STATUS_H
#define MUM_QUOTA_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/stats.h"
#include "postfix-policy/protocol/policy.h"

enum {
	QUOTA_MAILBOX_MAX = 256,	/* bytes of a name that is asked about */
	QUOTA_REPLY_MAX = 1024		/* bytes; a real reply has about 70 */
};

enum quota_answer {
	/* In order: the first two leave the question open. */
	QUOTA_NO_ANSWER,	/* zero, and no reason to refuse mail: late, gone or garbled */
	QUOTA_TROUBLE,		/* the service says that it cannot tell now */
	QUOTA_UNKNOWN,		/* neither of the next two: no such user, or an empty action */
	QUOTA_ROOM,
	QUOTA_FULL,
	QUOTA_ANSWERS
};

/* Can the service be asked about this name? 2.3 logs an error for others. */
bool quota_can_ask(const char *mailbox);

/*
 * Writes a name that cannot exist (RFC 2606), and another one for each number: an answer from
 * a cache would not say whether Dovecot finds its users.
 */
void quota_put_probe(char name[QUOTA_MAILBOX_MAX], uint64_t now, uint64_t number);

/*
 * Appends the request about a mailbox, a name that can be asked about, and a mail of so
 * many bytes. It always has the size: without one the service takes that of the request
 * before it on the connection.
 */
void quota_put_request(struct buf *out, const char *mailbox, uint64_t size);

/*
 * Reads a reply, which has at most QUOTA_REPLY_MAX bytes. DONE sets the answer, and *text_r
 * to the action, a view.
 */
enum parse_result quota_parse_reply(const char *bytes, size_t len,
				    enum quota_answer *answer_r, struct slice *text_r,
				    size_t *wire_len_r);

/* The number in the attribute "size"; 0 if it is none, as when Postfix knows no size. */
uint64_t quota_read_size(const struct slice *size);

/* The numbers of the service. */
struct quota_counts {
	uint64_t answers[QUOTA_ANSWERS];	/* to questions, not to probes */
	uint64_t remembered;	/* not asked, because there was room a moment ago */
	uint64_t skipped;	/* not asked, because the service or their mailbox gives no answers */
	struct mum_histogram duration;	/* of questions: until their answer, or giving up */
	bool up;		/* now; false when known to be down */
	size_t idle, busy;	/* now: connections */
};

#endif
