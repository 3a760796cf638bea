/* SPDX-License-Identifier: MIT */
#include "postfix-policy/protocol/action.h"

#include <string.h>

#include "common/text.h"

/* Documented in mumd-monitoring(8); people's filters and dashboards know them. */
static const char *const reason_names[REASONS] = {
	[REASON_NONE] = "none",
	[REASON_SEND_ONLY] = "send_only",
	[REASON_DEAD_ALIAS] = "dead_alias",
	[REASON_SENDER_NOT_OWNED] = "sender_not_owned",
	[REASON_NOT_LOGGED_IN] = "not_logged_in",
	[REASON_TOO_MANY_READINGS] = "too_many_readings",
	[REASON_OVER_QUOTA] = "over_quota",
	[REASON_NO_ANSWER] = "no_answer",
	[REASON_SEND_LIMIT] = "send_limit",
	[REASON_SEND_LIMIT_MAIL] = "send_limit_mail",
};

const char *reason_name(enum reason reason)
{
	return reason_names[reason];
}

static const struct {
	const char *action;
	enum reason reason;
} recipient_actions[] = {
	[RECIPIENT_UNKNOWN] = { ACTION_DUNNO, REASON_NONE },	/* Postfix answers those itself */
	[RECIPIENT_ACCEPTED] = { ACTION_DUNNO, REASON_NONE },
	[RECIPIENT_SEND_ONLY] = { "550 5.2.1 mailbox does not accept mail (send-only)",
				  REASON_SEND_ONLY },
	[RECIPIENT_DEAD_ALIAS] = {
		"550 5.2.1 alias leads to no mailbox that accepts mail", REASON_DEAD_ALIAS },
};

const char *action_for_recipient(enum recipient_verdict verdict)
{
	return recipient_actions[verdict].action;
}

enum reason reason_for_recipient(enum recipient_verdict verdict)
{
	return recipient_actions[verdict].reason;
}

/* A full mailbox is a state that ends, so by default the mail is tried again. */
const char *action_for_quota(enum mum_quota_reply reply, bool one)
{
	if (reply == MUM_QUOTA_REJECT)
		return one ? "552 5.2.2 mailbox is full"
			   : "552 5.2.2 all mailboxes of this address are full";
	return one ? "452 4.2.2 mailbox is full"
		   : "452 4.2.2 all mailboxes of this address are full";
}

const char *action_for_send(enum mum_send_reply reply, bool never)
{
	if (reply == MUM_SEND_HOLD)
		return ACTION_SEND_HOLD;
	if (never)
		return ACTION_SEND_NEVER;
	return reply == MUM_SEND_REJECT ? ACTION_SEND_REJECT : ACTION_SEND_DEFER;
}

void action_put_sender(struct buf *buf, enum sender_verdict verdict, const char *login)
{
	switch (verdict) {
	case SENDER_NOT_OWNED:
		/* A newline would end the text; Postfix drops a text with bad UTF-8. */
		buf_printf(buf, "553 5.7.1 not owned by user %s",
			   text_is_clean(login, strlen(login)) ? login : "?");
		return;
	case SENDER_NOT_LOGGED_IN:
		buf_puts(buf, "553 5.7.1 not logged in");
		return;
	case SENDER_ACCEPTED:
		break;
	}
	buf_puts(buf, ACTION_DUNNO);
}

enum reason reason_for_sender(enum sender_verdict verdict)
{
	if (verdict == SENDER_NOT_OWNED)
		return REASON_SENDER_NOT_OWNED;
	return verdict == SENDER_NOT_LOGGED_IN ? REASON_NOT_LOGGED_IN : REASON_NONE;
}
