/* SPDX-License-Identifier: MIT */
/*
 * Turns verdicts into Postfix's actions, access(5). All reply texts are here. Those
 * for senders are Postfix's own, which log parsers know.
 */
#ifndef MUM_ACTION_H
#define MUM_ACTION_H

#include "common/buf.h"
#include "common/config.h"
#include "common/rules.h"

/* Static text: a reject, or "DUNNO". Never "OK", never empty. */
const char *action_for_recipient(enum recipient_verdict verdict);

/* Appends the action for a sender; login may hold any bytes. */
void action_put_sender(struct buf *buf, enum sender_verdict verdict, const char *login);

/* Static text. one: there is one mailbox behind the recipient. */
const char *action_for_quota(enum mum_quota_reply reply, bool one);

/* For a login over its limit. never: this mail alone is over the limit. */
const char *action_for_send(enum mum_send_reply reply, bool never);

/* The action when a check gave no verdict. */
#define ACTION_TEMPFAIL "DEFER_IF_PERMIT 4.3.0 temporary lookup failure"
#define ACTION_DUNNO "DUNNO"
/*
 * The action when nobody can say where an address leads; Postfix turns it into 5.1.7
 * for a sender.
 */
#define ACTION_TOO_MANY_READINGS "501 5.1.3 address can be read in too many ways"

/* The actions for a login over its limit; NEVER is for a mail that could never pass. */
#define ACTION_SEND_DEFER "450 4.7.1 too many recipients for this login; try again later"
#define ACTION_SEND_REJECT "554 5.7.1 too many recipients for this login"
#define ACTION_SEND_NEVER "554 5.7.1 more recipients in one mail than this login may send to"
#define ACTION_SEND_HOLD "HOLD too many recipients for this login"

/* The reason for a check's action. */
enum reason {
	REASON_NONE,		/* all is well */
	REASON_SEND_ONLY,
	REASON_DEAD_ALIAS,
	REASON_SENDER_NOT_OWNED,
	REASON_NOT_LOGGED_IN,
	REASON_TOO_MANY_READINGS,
	REASON_OVER_QUOTA,
	REASON_NO_ANSWER,	/* no answer from database and cache, or from Dovecot */
	REASON_SEND_LIMIT,
	REASON_SEND_LIMIT_MAIL,	/* this mail alone is over the limit */
	REASONS
};

/* The stable name, the same in the log and in the metrics. */
const char *reason_name(enum reason reason);
enum reason reason_for_recipient(enum recipient_verdict verdict);
enum reason reason_for_sender(enum sender_verdict verdict);

#endif
