/* SPDX-License-Identifier: MIT */
/*
 * Verdicts in Postfix's words, access(5): the one place where a reply text
 * stands. The sender texts are Postfix's own, which log parsers know.
 */
#ifndef MUM_ACTION_H
#define MUM_ACTION_H

#include "common/buf.h"
#include "common/rules.h"

/* Static text: a reject, or "DUNNO". Never "OK", never empty. */
const char *action_for_recipient(enum recipient_verdict verdict);

/* Appends the action for a sender; login is of untrusted bytes. */
void action_put_sender(struct buf *buf, enum sender_verdict verdict, const char *login);

/* When a check gave no verdict. */
#define ACTION_TEMPFAIL "DEFER_IF_PERMIT 4.3.0 temporary lookup failure"
#define ACTION_DUNNO "DUNNO"

/* Stable names for the log and the metrics; NULL when all is well. */
const char *reason_for_recipient(enum recipient_verdict verdict);
const char *reason_for_sender(enum sender_verdict verdict);

#endif
