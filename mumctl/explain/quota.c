/* SPDX-License-Identifier: MIT */
/* Which mailboxes behind an address mumd asks Dovecot about, and what comes of it. */
#include "mumctl/explain/explain.h"

#include "common/xalloc.h"
#include "postfix-policy/protocol/action.h"
#include "postfix-policy/quota/check.h"

struct told {
	const struct mum_config *config;
	const char *action;	/* static; NULL until there is a verdict */
	char *reason;
};

/* Why mumd asks Dovecot about nobody. */
static char *reason_not_asked(enum mailboxes_status status, const char *name)
{
	switch (status) {
	case MAILBOXES_UNCLEAR:
		return xasprintf("Postfix may read <%s> in more than one way", name);
	case MAILBOXES_NOBODY:
		return xasprintf("<%s> takes no mail", name);
	case MAILBOXES_ELSEWHERE:
		return xasprintf("mail goes to <%s>, too, which is not in MUM", name);
	case MAILBOXES_TOO_DEEP:
		return xasprintf("<%s> is a third alias behind two others", name);
	case MAILBOXES_TOO_MANY:
		return xasprintf("with <%s> there are more mailboxes than "
				 "policy.quota_recipients", name);
	case MAILBOXES_NO_ANSWER:
	case MAILBOXES_FOUND:
		break;
	}
	return xasprintf("the database gave no answer about <%s> in time", name);
}

static char *reason_of_verdict(const struct quota_verdict *verdict)
{
	if (verdict->mailboxes != MAILBOXES_FOUND)
		return reason_not_asked(verdict->mailboxes, verdict->name);
	if (verdict->full)
		return verdict->count == 1
			       ? xasprintf("<%s> is full", verdict->name)
			       : xasprintf("all %zu mailboxes are full, <%s> was the last",
					   verdict->count, verdict->name);
	if (verdict->answer == QUOTA_ROOM)
		return xasprintf("<%s> can take mail", verdict->name);
	return xasprintf("nobody knows about <%s>: %s", verdict->name,
			 *verdict->text != '\0' ? verdict->text : "Dovecot's action is empty");
}

static void on_verdict(const struct quota_verdict *verdict, void *arg)
{
	struct told *told = arg;
	const struct mum_config *config = told->config;

	told->reason = reason_with_mode(reason_of_verdict(verdict), "policy.quota",
					config->policy.quota, !verdict->full);
	told->action = verdict->full && config->policy.quota == MUM_CHECK_ENFORCE
			       ? action_for_quota(config->policy.quota_reply,
						  verdict->count == 1)
			       : ACTION_DUNNO;
}

char *explain_reason_of_quota(struct tool *tool, const char *address, const char **action_r)
{
	struct told told = { .config = tool_config(tool, MUM_ROLE_POSTFIX) };

	if (told.config->policy.quota == MUM_CHECK_OFF)
		return NULL;
	if (quota_check_start(&tool->host.host, tool_core(tool, MUM_ROLE_POSTFIX),
			      tool_quota(tool), address, 0, on_verdict, &told) == NULL) {
		*action_r = ACTION_DUNNO;
		return xstrdup("Dovecot's quota-status gives no answers");
	}
	while (told.action == NULL)
		tool_wait(tool);
	*action_r = told.action;
	return told.reason;
}
