/* SPDX-License-Identifier: MIT */
/*
 * The table of senders as text, which outlives mumd in policy.send_state, and goes to
 * mumctl over policy.send_socket. Pure.
 *
 *	mum-senders 1
 *	wall SECONDS
 *	DEBT SENT OVER SINCE LOGIN
 *	...
 *	end ROWS
 *
 * Clocks that never go back begin anew with each boot, so times are told as what is left
 * (DEBT, microseconds until all that was sent has drained) and by the time of day.
 */
#ifndef MUM_SEND_TABLE_TEXT_H
#define MUM_SEND_TABLE_TEXT_H

#include "common/buf.h"
#include "postfix-policy/send/table.h"

enum { SEND_TEXT_MAX = 128 << 20 };	/* bytes; a million logins of the usual length fit */

struct send_row {
	uint64_t debt, sent, over;
	int64_t since;
	char login[SEND_LOGIN_SIZE];
};

/* wall: seconds of the time of day. */
void send_text_put(struct buf *out, const struct send_table *table, uint64_t now,
		   int64_t wall);

/* wall: when the text was written. */
typedef void send_row_fn(const struct send_row *row, int64_t wall, void *arg);

/* Hands each row to fn. Of a text that is not whole and good throughout: none, and false. */
bool send_text_read(const char *bytes, size_t len, send_row_fn *fn, void *arg);

/*
 * Fills the table. What drained since the text was written is gone: for that long mumd may
 * have been away, and the machine, too. A clock that was set back has no time pass, and
 * one that was set forward has everything drain. False, and nothing filled, as above.
 */
bool send_text_restore(const char *bytes, size_t len, struct send_table *table, uint64_t now,
		       int64_t wall);

#endif
