/* SPDX-License-Identifier: MIT */
/*
 * Asks Dovecot's quota-status which mailboxes are full: a few connections, a queue of
 * questions that wait for one, and a breaker. When the service gives no answers, nobody asks
 * it and nobody waits; a probe of our own tries it once a second.
 */
#ifndef MUM_QUOTA_CLIENT_H
#define MUM_QUOTA_CLIENT_H

#include "common/host.h"
#include "postfix-policy/quota/settings.h"
#include "postfix-policy/protocol/quota-status.h"

struct quota_client;
struct quota_question;	/* on its way; owned by the client */

/* The host outlives it. Connects when there is something to ask. */
struct quota_client *quota_client_new(const struct mum_host *host,
				      const struct quota_settings *settings);
/* No callback runs any more. Sets NULL; NULL is fine. */
void quota_client_free(struct quota_client **client);

/*
 * Takes other settings: questions that wait get no answer, and the client starts anew. Equal
 * settings change nothing. Not from inside a callback.
 */
void quota_client_configure(struct quota_client *client,
			    const struct quota_settings *settings);

/* Is there nobody to ask now? Counts who would have asked. */
bool quota_client_skips(struct quota_client *client);
/*
 * Had the mailbox room for a mail of that size less than policy.quota_ttl ago? The way of a
 * mail from RCPT to its mailbox takes about as long. Counts each "yes".
 */
bool quota_client_knows_room(struct quota_client *client, const char *mailbox, uint64_t size);
/*
 * Has an earlier question about the mailbox no answer yet, although its deadline has passed?
 * Another one would have none either, and take one more of Dovecot's processes. Counts each
 * "yes" like quota_client_skips().
 */
bool quota_client_awaits(struct quota_client *client, const char *mailbox);
#define QUOTA_AWAITED "Dovecot has not answered an earlier question about this mailbox"
struct quota_counts quota_client_counts(const struct quota_client *client);

/* text: the action, or why there is no answer; gone when the callback returns. */
typedef void quota_answer_fn(enum quota_answer answer, const char *text, void *arg);

/*
 * Asks about a mailbox (see quota_can_ask()) and a mail of so many bytes. fn runs once,
 * later and from the loop, at the latest deadline_ms from now. The handle is gone then.
 * NULL: the service gives no answers; fn never runs.
 */
struct quota_question *quota_ask(struct quota_client *client, const char *mailbox,
				 uint64_t size, unsigned deadline_ms, quota_answer_fn *fn,
				 void *arg);
/* fn never runs, and none runs now. Sets NULL; NULL inside is fine. */
void quota_cancel(struct quota_question **question);

#endif
