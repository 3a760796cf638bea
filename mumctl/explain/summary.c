/* SPDX-License-Identifier: MIT */
/* The first line of explain: who gets the mail of a name, and who may send as it. */
#include "mumctl/explain/explain.h"

#include <stdlib.h>

#include "common/buf.h"
#include "common/rules.h"
#include "common/xalloc.h"

enum {
	SUMMARY_MAX = 65536,	/* bytes */
	NAMES_MAX = 3		/* named one by one; the others are counted */
};

/* "<a> gets", "<a> and <b> get", "<a>, <b>, <c> and 2 others get" */
static void put_names(struct buf *text, const char *const *names, size_t count,
		      const char *one, const char *many)
{
	size_t named = count > NAMES_MAX ? NAMES_MAX : count;

	for (size_t i = 0; i < named; i++)
		buf_printf(text, "%s<%s>", i == 0 ? "" : i + 1 == count ? " and " : ", ",
			   names[i]);
	if (count > named)
		buf_printf(text, " and %zu other%s", count - named,
			   count - named == 1 ? "" : "s");
	buf_printf(text, " %s", count == 1 ? one : many);
}

/* Takes over reason. */
static void put_because(struct buf *text, const char *what, char *reason)
{
	buf_printf(text, "%s, because %s", what, reason);
	free(reason);
}

/* Why nobody gets the name's mail, by what MUM has of it. */
static char *why_nobody(const struct asked *delivery, enum alias_state alias)
{
	const struct delivery_row *row;
	char *of_mailbox, *of_alias, *both;
	bool mailbox;

	if (delivery->answer.status != MUM_FOUND)
		return reason_without_facts(delivery);
	mailbox = rule_mailbox_state(&delivery->answer, &row) != MAILBOX_IS_UNKNOWN;
	if (!mailbox && alias == ALIAS_IS_UNKNOWN)
		return xstrdup("no mailbox and no alias has this name");
	if (alias == ALIAS_IS_UNKNOWN)
		return reason_of_map(SOCKETMAP_MAILBOXES, delivery);
	of_alias = reason_of_map(SOCKETMAP_ALIASES, delivery);
	if (!mailbox)
		return of_alias;
	of_mailbox = reason_of_map(SOCKETMAP_MAILBOXES, delivery);
	both = xasprintf("%s, and of the alias: %s", of_mailbox, of_alias);
	free(of_mailbox);
	free(of_alias);
	return both;
}

static void put_delivery(struct buf *text, const struct asked *delivery, const char *deferred)
{
	const struct mum_answer *answer = &delivery->answer;
	struct arena arena = { NULL };
	struct recipients found = { .count = 0 };
	const struct delivery_row *row;

	if (!tool_is_answered(delivery->answer.status))
		put_because(text, "its mail is deferred", reason_without_facts(delivery));
	else if (deferred != NULL)
		put_because(text, "its mail is deferred", xstrdup(deferred));
	/* Postfix asks for aliases first. */
	else if (rule_recipients(answer, &arena, &found) == MUM_FOUND && found.count > 0)
		put_names(text, found.addresses, found.count, "gets its mail", "get its mail");
	else if (answer->status == MUM_FOUND &&
		 rule_mailbox_state(answer, &row) == MAILBOX_IS_LIVE)
		put_names(text, (const char *const[]){ row->mailbox }, 1, "gets its mail", "");
	else
		put_because(text, "nobody here gets its mail", why_nobody(delivery, found.state));
	arena_free(&arena);
}

static void put_senders(struct buf *text, const struct asked *asked,
			const struct mum_config *config)
{
	const struct mum_answer *answer = &asked->answer;
	struct arena arena = { NULL };
	struct owners owners = { .count = 0 };

	if (!tool_is_answered(asked->answer.status))
		put_because(text, "Who sends as it has to wait", reason_without_facts(asked));
	else if (rule_owners(answer, &arena, &owners) == MUM_FOUND)
		put_names(text, owners.logins, owners.count, "may send as it",
			  "may send as it");
	else
		put_because(text, config->policy.sender_login == MUM_SENDER_KNOWN
					  ? "Everybody who logs in may send as it"
					  : "Nobody may send as it",
			    reason_of_map(SOCKETMAP_SENDERS, asked));
	arena_free(&arena);
}

char *explain_summary_of_address(const char *address, const struct asked *delivery,
			 const char *deferred, const struct asked *owners,
			 const struct mum_config *config)
{
	struct buf text = BUF_INIT(SUMMARY_MAX);

	buf_printf(&text, "<%s>: ", address);
	put_delivery(&text, delivery, deferred);
	buf_puts(&text, ". ");
	put_senders(&text, owners, config);
	buf_puts(&text, ".");
	return buf_steal(&text);
}

char *explain_summary_of_domain(const char *domain, const struct asked *asked)
{
	enum domain_state state = DOMAIN_IS_FOREIGN;
	const struct domain_row *row;
	const char *mail;

	if (!tool_is_answered(asked->answer.status)) {
		char *reason = reason_without_facts(asked);
		char *text = xasprintf("<%s>: its mail is deferred, because %s.", domain, reason);

		free(reason);
		return text;
	}
	if (asked->answer.status == MUM_FOUND)
		state = state_of_domain(asked->answer.facts[MUM_DOMAIN], &row);
	(void)reason_of_domain_state(state, &mail);
	return xasprintf("<%s>: %s.", domain, mail);
}
