/* SPDX-License-Identifier: MIT */
/*
 * The table of senders as text: mumd writes it to policy.send_state to keep it over a
 * restart, and to policy.send_socket for mumctl. Pure.
 *
 *	mum-senders 1
 *	wall SECONDS
 *	DEBT SENT OVER SINCE LOGIN
 *	...
 *	end ROWS
 *
 * A clock that never goes back starts again at each boot. So the text has what is left (DEBT,
 * microseconds until all that was sent has drained), and the time of day.
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

/* Hands each row to fn. If the text is cut or bad anywhere, hands out no row: false. */
bool send_text_read(const char *bytes, size_t len, send_row_fn *fn, void *arg);

/*
 * Fills the table, without what has drained since the text was written: mumd, or the machine,
 * may have been away for that long. If the clock was set back, no time has passed; if it was
 * set forward, everything may have drained. A bad text fills nothing: false.
 */
bool send_text_restore(const char *bytes, size_t len, struct send_table *table, uint64_t now,
		       int64_t wall);

#endif
