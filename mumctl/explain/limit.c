/* SPDX-License-Identifier: MIT */
/* How many recipients a login may send to: the answer to a mail to one more, and why. */
#include "mumctl/explain/explain.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "mumctl/sender-list.h"
#include "postfix-policy/protocol/action.h"
#include "postfix-policy/send/limits.h"

static const struct sender *find(const struct sender_list *list, const char *login)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i].login, login) == 0)
			return &list->items[i];
	}
	return NULL;
}

/* Caller frees. */
static char *reason_of(const struct mum_config *config, const struct gcra *limit,
		       const struct sender *sender, char *why)
{
	char *limits, *reason;

	if (limit == NULL)
		return xstrdup("policy.send_exempt names the login or its domain");
	limits = xasprintf("%" PRIu64 " recipients at once, and one more every %g s", limit->burst,
			   (double)limit->interval / 1e6);
	if (why != NULL)
		reason = xasprintf("%s; mumd does not say how many are left: %s", limits, why);
	else
		reason = xasprintf("%s; %" PRIu64 " are left%s", limits,
				   sender != NULL ? sender->left : limit->burst,
				   config->policy.send == MUM_CHECK_WARN
					   ? ", and policy.send is \"warn\"" : "");
	free(limits);
	return reason;
}

const char *explain_limit(const struct mum_config *config, const char *login, char **reason_r)
{
	struct send_limits *limits = send_limits_new(config);
	char *name = send_login(login, strlen(login)), *why = NULL;
	const struct gcra *limit = send_limits_find(limits, name);
	const char *answer = ACTION_DUNNO;
	const struct sender *sender;
	struct sender_list list;

	(void)sender_list_ask(config, &list, &why);
	sender = find(&list, name);
	if (config->policy.send != MUM_CHECK_WARN && sender != NULL && sender->limited &&
	    sender->left == 0)
		answer = action_for_send(config->policy.send_reply, false);
	*reason_r = reason_of(config, limit, sender, why);
	sender_list_free(&list);
	send_limits_free(&limits);
	free(name);
	free(why);
	return answer;
}
