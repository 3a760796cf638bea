/* SPDX-License-Identifier: MIT */
#include "mumctl/explain.h"

#include <stdlib.h>
#include <string.h>

#include "common/rules.h"
#include "common/xalloc.h"
#include "mumctl/verify.h"

enum { REASON_MAX = 4096 };	/* bytes; an alias may have many recipients */

char *reason_of_domain(const struct mum_answer *answer)
{
	const struct facts *facts = answer->facts[MUM_DOMAIN];

	if (facts->count == 0)
		return xstrdup("no domain has this name");
	return xstrdup(facts->domains[0].active ? "the domain is active"
						: "the domain is inactive");
}

static const char *state_of_mailbox(const struct delivery_row *row)
{
	if (!row->domain_active)
		return "the domain is inactive";
	if (!row->mailbox_active)
		return "the mailbox is inactive";
	return row->mailbox_send_only ? "the mailbox is active, and send-only"
				      : "the mailbox is active";
}

char *reason_of_mailbox(const struct mum_answer *answer)
{
	const struct facts *facts = answer->facts[MUM_DELIVERY];
	const struct delivery_row *found = NULL;
	const char *state = NULL;

	if (rule_mailbox(answer, &found) == MUM_FOUND)
		return xasprintf("<%s>: %s", found->mailbox, state_of_mailbox(found));
	for (size_t i = 0; i < facts->count && state == NULL; i++) {
		if (facts->deliveries[i].mailbox != NULL)
			state = state_of_mailbox(&facts->deliveries[i]);
	}
	return xstrdup(state != NULL ? state : "no mailbox has this name");
}

/* NULL when mail to this recipient can arrive. */
static const char *why_dead(const struct delivery_row *row)
{
	if (row->recipient[strspn(row->recipient, " \t")] == '\0')
		return "is blank";
	if (!row->recipient_local)
		return NULL;
	if (!row->recipient_domain_active)
		return "is in an inactive domain";
	if (!row->recipient_active)
		return "is inactive";
	return row->recipient_send_only ? "is send-only" : NULL;
}

static const char *state_of_alias(const struct delivery_row *row)
{
	if (!row->domain_active)
		return "the domain is inactive";
	if (!row->alias_active)
		return "the alias is inactive";
	return row->alias_expired ? "the alias has passed its deactivate_at" : NULL;
}

/* "2 of 3 recipients get mail; <x@y> is send-only" */
static char *count_recipients(const struct facts *facts, size_t form, size_t live)
{
	struct buf text = BUF_INIT(REASON_MAX), dead = BUF_INIT(REASON_MAX / 2);
	size_t all = 0;

	for (size_t i = 0; i < facts->count; i++) {
		const struct delivery_row *row = &facts->deliveries[i];

		if (row->form != form || row->recipient == NULL)
			continue;
		all++;
		if (why_dead(row) != NULL)
			buf_printf(&dead, "; <%s> %s", row->recipient, why_dead(row));
	}
	buf_printf(&text, "%zu of %zu recipients get mail", live, all);
	if (!dead.failed)
		buf_put(&text, dead.data, dead.len);
	buf_free(&dead);
	return buf_steal(&text);
}

char *reason_of_recipients(const struct mum_answer *answer)
{
	const struct facts *facts = answer->facts[MUM_DELIVERY];
	struct arena arena = { NULL };
	struct recipients live = { .count = 0 };
	char *reason = NULL;

	(void)rule_recipients(answer, &arena, &live);
	for (size_t i = 0; i < facts->count && reason == NULL; i++) {
		const struct delivery_row *row = &facts->deliveries[i];

		if (row->alias == NULL)
			continue;
		reason = state_of_alias(row) != NULL
				 ? xstrdup(state_of_alias(row))
				 : count_recipients(facts, row->form, live.count);
	}
	arena_free(&arena);
	return reason != NULL ? reason : xstrdup("no alias has this name");
}

char *reason_of_recipient(const struct mum_answer *answer)
{
	const struct facts *facts = answer->facts[MUM_DELIVERY];
	enum recipient_verdict verdict = RECIPIENT_UNKNOWN;
	bool alias = false;

	(void)rule_recipient(answer, &verdict);
	for (size_t i = 0; i < facts->count; i++)
		alias = alias || facts->deliveries[i].alias != NULL;
	switch (verdict) {
	case RECIPIENT_SEND_ONLY:
		return reason_of_mailbox(answer);
	case RECIPIENT_ACCEPTED:
	case RECIPIENT_DEAD_ALIAS:
		return alias ? reason_of_recipients(answer) : reason_of_mailbox(answer);
	case RECIPIENT_UNKNOWN:
		break;
	}
	return xstrdup("neither an active mailbox nor an active alias; Postfix says so itself");
}

char *reason_of_owners(const struct mum_answer *answer)
{
	const struct facts *facts = answer->facts[MUM_OWNERS];
	struct arena arena = { NULL };
	struct owners owners = { .count = 0 };
	char *reason;

	(void)rule_owners(answer, &arena, &owners);
	if (facts->count == 0)
		reason = xstrdup("no mailbox has this name, and no alias with senders");
	else if (owners.count == 0)
		reason = xstrdup("whoever could send as this address is inactive or expired");
	else
		reason = xasprintf("%zu of %zu mailboxes may send as this address",
				   owners.count, facts->count);
	arena_free(&arena);
	return reason;
}

char *reason_of_tls(const struct mum_answer *answer)
{
	const struct facts *facts = answer->facts[MUM_TLS];

	if (facts->count == 0)
		return xstrdup("no TLS policy has this name");
	return xstrdup(facts->tls[0].active ? "the policy is active"
					    : "the policy is inactive");
}

char *reason_of_sender(const struct mum_answer *answer, const char *login)
{
	enum sender_verdict verdict = SENDER_ACCEPTED;

	(void)rule_sender(answer, login, false, &verdict);
	if (*login == '\0')
		return reason_of_owners(answer);
	return xasprintf(verdict == SENDER_ACCEPTED ? "<%s> may send as this address"
						    : "<%s> may not send as this address",
			 login);
}

static const char *state_of_login(const struct mailbox_row *mailbox)
{
	if (!mailbox->domain_active)
		return "the domain is inactive";
	return mailbox->active ? NULL : "the mailbox is inactive";
}

char *reason_of_credential(const struct mum_answer *answer, const struct mum_config *config)
{
	const struct facts *facts = answer->facts[MUM_CREDENTIAL];
	const struct hash_limits limits = hash_limits(config);
	struct credential credential;
	enum hash_scheme scheme;
	const char *why;

	if (facts->count == 0)
		return xstrdup("no mailbox has this name");
	if (rule_credential(answer, &credential) != MUM_FOUND)
		return xstrdup(state_of_login(&facts->credentials[0].mailbox));
	why = hash_check(credential.password, &limits, &scheme);
	if (why != NULL)
		return xasprintf("mailboxes.password: %s", why);
	return credential.send_only
		       ? xstrdup("the mailbox is send-only: no login to read mail")
		       : xstrdup("the mailbox is active");
}

char *reason_of_user(const struct mum_answer *answer)
{
	const struct facts *facts = answer->facts[MUM_USER];
	const struct mailbox_row *mailbox;
	struct user user;
	const char *why;

	if (facts->count == 0)
		return xstrdup("no mailbox has this name");
	mailbox = &facts->users[0].mailbox;
	(void)rule_user(answer, &user, &why);
	if (why != NULL)
		return xstrdup(why);
	if (state_of_login(mailbox) != NULL)
		return xstrdup(state_of_login(mailbox));
	return xstrdup(mailbox->send_only ? "the mailbox is send-only: it holds no mail"
					  : "the mailbox is active");
}
