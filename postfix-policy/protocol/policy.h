/* SPDX-License-Identifier: MIT */
/*
 * Postfix's policy delegation protocol (SMTPD_POLICY_README): attributes in, one
 * action out. For both ends. Pure.
 */
#ifndef MUM_POLICY_H
#define MUM_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "postfix-policy/protocol/netstring.h"

enum { POLICY_REQUEST_MAX = 65536 };	/* bytes; a real request has about 700 */

struct slice {
	const char *data;	/* a view; not NUL-terminated */
	size_t len;
};

/* The attributes that we need; each is empty if Postfix did not send it. */
struct policy_request {
	struct slice request;	/* what it asks for */
	struct slice state, context, sender, recipient, login, size;
	struct slice client_name, client_address, queue_id;	/* for the log */
	struct slice recipient_count;	/* those accepted so far; at RCPT always 0 */
};

/*
 * Reads attributes up to the empty line; if a name comes twice, the last one counts.
 * Bad: a line without '=', a NUL byte, or no request=smtpd_access_policy.
 */
enum parse_result policy_parse(const char *bytes, size_t len,
			       struct policy_request *out, size_t *wire_len_r);

/*
 * Reads what such a service answers, up to the empty line; the action is empty where it
 * says "action=". Bad: a line without '=', a NUL byte, no action.
 */
enum parse_result policy_parse_reply(const char *bytes, size_t len, struct slice *action_r,
				     size_t *wire_len_r);

bool slice_is(const struct slice *slice, const char *text);

/* Do the request's state and context call for this check? */
bool policy_wants_recipient(const struct policy_request *request);
bool policy_wants_sender(const struct policy_request *request);

/* What the limit of a login has to do with the request. */
enum policy_send {
	POLICY_SEND_NOTHING,
	POLICY_SEND_PEEK,	/* may the login send at all? */
	POLICY_SEND_TAKE	/* the mail begins: all of its recipients count */
};
enum policy_send policy_wants_send(const struct policy_request *request);

/* Appends "action=<action>" and the empty line. */
void policy_put_action(struct buf *out, const char *action);

#endif
