/* SPDX-License-Identifier: MIT */
/*
 * What a line of Postfix's log says of addresses and logins. Pure: one line in, parts of
 * it out. The line is hostile, because whoever talks to Postfix chooses much of its text:
 * check each part before you use it as a name.
 */
#ifndef MUM_MAIL_LOG_H
#define MUM_MAIL_LOG_H

#include <stdbool.h>
#include <stddef.h>

/* A part of the line, without '<' and '>'; data is NULL when the line has no such part. */
struct mail_log_text {
	const char *data;
	size_t len;
};

struct mail_log_line {
	struct mail_log_text queue_id;	/* NULL: of no mail in the queue (NOQUEUE) */
	struct mail_log_text sender;	/* from=<...>; its len is 0 for the null sender */
	struct mail_log_text recipient;	/* to=<...>, where the mail goes in the end */
	struct mail_log_text original;	/* orig_to=<...>, as the sender had it */
	struct mail_log_text login;	/* sasl_username=... */
};

/*
 * Reads a line without its end; its time is as in syslog, or as in RFC 3339. False if it
 * is not Postfix's about a mail, or has no sender, recipient or login.
 */
bool mail_log_read(const char *line, struct mail_log_line *line_r);

#endif
