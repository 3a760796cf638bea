/* SPDX-License-Identifier: MIT */
#include "postfix-policy/action.h"

#include <string.h>

static const struct {
	const char *action, *reason;
} recipient_actions[] = {
	[RECIPIENT_UNKNOWN] = { ACTION_DUNNO, NULL },	/* Postfix answers those itself */
	[RECIPIENT_ACCEPTED] = { ACTION_DUNNO, NULL },
	[RECIPIENT_SEND_ONLY] = { "550 5.2.1 mailbox does not accept mail (send-only)",
				  "send_only" },
	[RECIPIENT_DEAD_ALIAS] = {
		"550 5.2.1 alias leads to no mailbox that accepts mail", "dead_alias" },
};

const char *action_for_recipient(enum recipient_verdict verdict)
{
	return recipient_actions[verdict].action;
}

const char *reason_for_recipient(enum recipient_verdict verdict)
{
	return recipient_actions[verdict].reason;
}

void action_put_sender(struct buf *buf, enum sender_verdict verdict, const char *login)
{
	switch (verdict) {
	case SENDER_NOT_OWNED:
		/* A newline would end the text; bad UTF-8 makes Postfix drop it. */
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

const char *reason_for_sender(enum sender_verdict verdict)
{
	if (verdict == SENDER_NOT_OWNED)
		return "sender_not_owned";
	return verdict == SENDER_NOT_LOGGED_IN ? "not_logged_in" : NULL;
}
