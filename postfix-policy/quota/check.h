/* SPDX-License-Identifier: MIT */
/*
 * Decides whether a recipient is refused as over quota: only if nothing but mailboxes stands
 * behind it, and Dovecot says that each is full. If in doubt, it is not refused.
 */
#ifndef MUM_QUOTA_CHECK_H
#define MUM_QUOTA_CHECK_H

#include "common/mailboxes.h"
#include "postfix-policy/quota/client.h"

struct quota_check;	/* under way; gone when fn runs */

/* The result. The texts are gone when the callback returns. */
struct quota_verdict {
	bool full;		/* all mailboxes are full: refuse the recipient */
	size_t count;		/* mailboxes behind it */
	size_t asked;		/* how many of them Dovecot was asked about, one by one */
	enum mailboxes_status mailboxes;	/* nobody is asked unless they are found */
	enum quota_answer answer;	/* the last one */
	const char *text;	/* its action, or why there is none; NULL: no mailboxes */
	const char *name;	/* the mailbox of the answer, else what mailboxes is about */
};

typedef void quota_check_fn(const struct quota_verdict *verdict, void *arg);

/*
 * recipient: as policy services get it. fn runs once, later, from the loop and never from
 * inside this call, at the latest policy.quota_deadline from now. The handle is gone when
 * fn is called; so may be the core. NULL, and fn never runs: no service to ask.
 */
struct quota_check *quota_check_start(const struct mum_host *host, struct mum_core *core,
				      struct quota_client *client, const char *recipient,
				      uint64_t size, quota_check_fn *fn, void *arg);
/* fn never runs. Sets NULL; NULL inside is fine. */
void quota_check_cancel(struct quota_check **check);

#endif
