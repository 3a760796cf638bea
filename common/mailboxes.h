/* SPDX-License-Identifier: MIT */
/*
 * The mailboxes in which mail to an address ends. Aliases are followed as Postfix follows
 * them: an alias counts before the mailbox of the same name, and ends where it names itself.
 */
#ifndef MUM_MAILBOXES_H
#define MUM_MAILBOXES_H

#include "common/core.h"

enum { MAILBOXES_ALIASES = 2 };	/* one behind the other, at most */

enum mailboxes_status {
	MAILBOXES_NO_ANSWER,	/* zero: the database gave none in time */
	MAILBOXES_FOUND,	/* mail ends in these, and in no other place */
	MAILBOXES_UNCLEAR,	/* Postfix may read it in more than one way: readings.h */
	MAILBOXES_NOBODY,	/* a name there takes no mail */
	MAILBOXES_ELSEWHERE,	/* a recipient is outside of MUM */
	MAILBOXES_TOO_DEEP,
	MAILBOXES_TOO_MANY
};

struct mailboxes {
	enum mailboxes_status status;
	const char *name;	/* the address that the status is about */
	size_t count;		/* with MAILBOXES_FOUND only: at least 1 */
	const char **names;	/* each once: as RFC 5321 writes it, without an extension */
};

struct mailboxes_walk;	/* questions under way; gone when fn runs */

/* found, and all it points to, is gone when the callback returns. */
typedef void mailboxes_fn(const struct mailboxes *found, void *arg);

/*
 * address: as policy services get it. At most `max` mailboxes. fn runs once, later, from
 * the loop and never from inside this call, at the latest deadline_ms from now. The handle
 * is gone when fn is called. The core outlives it.
 */
struct mailboxes_walk *mailboxes_find(const struct mum_host *host, struct mum_core *core,
				      const char *address, size_t max, unsigned deadline_ms,
				      mailboxes_fn *fn, void *arg);
/* fn never runs. Sets NULL; NULL inside is fine. */
void mailboxes_cancel(struct mailboxes_walk **walk);

#endif
