/* SPDX-License-Identifier: MIT */
/*
 * Which mailboxes had room a moment ago. The table has a fixed size: where many come at
 * once, a later one takes the place of an earlier one, which is asked about again.
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

/* Notes the answer about a mailbox and a mail of so many bytes. A full one has no room now. */
void quota_rooms_note(struct quota_rooms *rooms, const char *mailbox, uint64_t size,
		      enum quota_answer answer, uint64_t now_ms);
/*
 * Did it have room for that many bytes or more? When the answer has just become too old, only
 * the first caller gets false, and asks; others get the old answer for a moment more.
 */
bool quota_rooms_has(struct quota_rooms *rooms, const char *mailbox, uint64_t size,
		     uint64_t now_ms);

#endif
