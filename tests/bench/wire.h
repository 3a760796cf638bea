/* SPDX-License-Identifier: MIT */
/*
 * The three dialogues that Postfix speaks or hears, as bytes: socketmap,
 * policy delegation, SMTP. Pure: no socket, no clock.
 */
#ifndef MUM_BENCH_WIRE_H
#define MUM_BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>

/* Postfix takes replies of up to 100,000 bytes; leave room for the frame. */
#define WIRE_MAX_MESSAGE 100100

enum wire_protocol { WIRE_SOCKETMAP, WIRE_POLICY, WIRE_SMTP };

enum wire_result { WIRE_MORE, WIRE_DONE, WIRE_BAD };

/* One whole message at the start of a buffer: a view into that buffer. */
struct wire_frame {
	const char *text;
	size_t text_len;
	size_t used;		/* bytes of the buffer, framing included */
};

/* *frame_r is written with WIRE_DONE only. */
enum wire_result wire_parse_frame(enum wire_protocol protocol, const char *buf,
				  size_t buf_len, struct wire_frame *frame_r);

/*
 * The word by which a reply is counted: OK, NOTFOUND, the policy action, the
 * SMTP code. False if Postfix would not take the reply for a good one.
 */
bool wire_reply_word(enum wire_protocol protocol,
		     const struct wire_frame *frame, char *word,
		     size_t word_size);

/* Bytes to send, made once before the clock starts. */
struct wire_bytes {
	char *data;
	size_t len;
};

/* "map key" in a netstring. */
struct wire_bytes wire_make_socketmap(const char *map, const char *key);

/*
 * A whole RCPT request of smtpd, all 29 attributes. columns is
 * "sender TAB recipient TAB sasl_username TAB policy_context"; columns that
 * are missing are sent empty.
 */
struct wire_bytes wire_make_policy(const char *columns);

/* "MAIL FROM:<first column>" and "RCPT TO:<second column>". */
struct wire_bytes wire_make_mail(const char *columns);
struct wire_bytes wire_make_rcpt(const char *columns);

#endif
