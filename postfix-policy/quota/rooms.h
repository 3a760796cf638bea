/* SPDX-License-Identifier: MIT */
/*
 * Which mailboxes had room a moment ago. A table of fixed size: a mailbox that falls on the
 * place of another one takes it, and the other one is asked about again.
 */
#ifndef MUM_QUOTA_ROOMS_H
#define MUM_QUOTA_ROOMS_H

#include <stdbool.h>
#include <stdint.h>

#include "postfix-policy/protocol/quota-status.h"

struct quota_rooms;

/* ttl: ms that an answer counts; 0: never. */
struct quota_rooms *quota_rooms_new(unsigned ttl);
void quota_rooms_free(struct quota_rooms **rooms);	/* sets NULL; NULL is fine */

/* The answer about a mailbox and a mail of so many bytes. That it is full ends its room. */
void quota_rooms_note(struct quota_rooms *rooms, const char *mailbox, uint64_t size,
		      enum quota_answer answer, uint64_t now_ms);
/*
 * Had it room for so many or more? When that has just ended, only the first who wants to
 * know is told no, and asks; the others go by the old answer until the new one is there.
 */
bool quota_rooms_has(struct quota_rooms *rooms, const char *mailbox, uint64_t size,
		     uint64_t now_ms);

#endif
