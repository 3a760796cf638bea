/* SPDX-License-Identifier: MIT */
#include "mumctl/explain.h"

#include <stdlib.h>
#include <string.h>

#include "common/rules.h"
#include "common/text.h"
#include "common/xalloc.h"
#include "mumctl/verify.h"
#include "postfix-policy/action.h"

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

/* Of a recipient that rule_recipients() leaves out; NULL for others. */
static const char *why_dead(const struct delivery_row *row)
{
	switch (rule_recipient_state(row)) {
	case RECIPIENT_IS_LIVE:
		break;
	case RECIPIENT_IS_BLANK:
		return "is blank";
	case RECIPIENT_IS_ALIAS_ITSELF:
		return "is the alias itself, and no mailbox of that name accepts mail";
	case RECIPIENT_IS_IN_INACTIVE_DOMAIN:
		return "is in an inactive domain";
	case RECIPIENT_IS_INACTIVE:
		return "is inactive";
	case RECIPIENT_IS_SEND_ONLY:
		return "is send-only";
	case RECIPIENT_IS_GONE:
		return "names a mailbox that is gone";
	case RECIPIENT_IS_UNKNOWN:
		return "is unknown in a domain of MUM's";
	case RECIPIENT_HAS_NO_END:
		return "is the alias itself in another spelling, which never ends";
	}
	return NULL;
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
static char *count_recipients(const struct facts *facts, size_t form,
			      const struct recipients *live)
{
	struct buf text = BUF_INIT(REASON_MAX), dead = BUF_INIT(REASON_MAX / 2);
	size_t all = 0;

	for (size_t i = 0; i < facts->count; i++) {
		const struct delivery_row *row = &facts->deliveries[i];
		const char *why;

		if (row->form == form && row->left_out > 0)
			return xasprintf("%zu recipients are more than a mail server can be "
					 "handed", row->left_out);
		if (row->form != form || row->recipient == NULL)
			continue;
		all++;
		why = why_dead(row);
		if (why != NULL && !dead.failed)
			buf_printf(&dead, "; <%s> %s",
				   row->stands_for != NULL && *row->stands_for != '\0'
					   ? row->stands_for : row->recipient,
				   why);
	}
	buf_printf(&text, "%zu of %zu recipients get mail", live->count, all);
	/* What did not fit is seen in the rows. */
	buf_put(&text, dead.data, dead.len);
	buf_free(&dead);
	return buf_steal(&text);
}

/* A row of the alias that counts: the live one, else the first that exists, else the first. */
static const struct delivery_row *find_alias(const struct facts *facts,
					     const struct recipients *live)
{
	const struct delivery_row *found = NULL;

	for (size_t i = 0; i < facts->count; i++) {
		const struct delivery_row *row = &facts->deliveries[i];

		if (row->alias == NULL)
			continue;
		if (live->count > 0 ? row->form == live->form : state_of_alias(row) == NULL)
			return row;
		if (found == NULL)
			found = row;
	}
	return found;
}

char *reason_of_recipients(const struct mum_answer *answer)
{
	const struct facts *facts = answer->facts[MUM_DELIVERY];
	struct arena arena = { NULL };
	struct recipients live = { .count = 0 };
	const struct delivery_row *row;
	char *reason;

	(void)rule_recipients(answer, &arena, &live);
	row = find_alias(facts, &live);
	if (row == NULL)
		reason = xstrdup("no alias has this name");
	else if (state_of_alias(row) != NULL)
		reason = xstrdup(state_of_alias(row));
	else
		reason = count_recipients(facts, row->form, &live);
	arena_free(&arena);
	return reason;
}

/* An alias decides where it is live, or where there is no mailbox. */
static bool is_decided_by_alias(const struct mum_answer *answer)
{
	struct arena arena = { NULL };
	struct recipients live;
	const struct delivery_row *mailbox;
	bool is_live = rule_recipients(answer, &arena, &live) == MUM_FOUND;

	arena_free(&arena);
	return is_live || rule_mailbox(answer, &mailbox) != MUM_FOUND;
}

char *reason_of_recipient(const struct mum_answer *answer)
{
	enum recipient_verdict verdict = RECIPIENT_UNKNOWN;

	(void)rule_recipient(answer, &verdict);
	if (verdict == RECIPIENT_UNKNOWN)
		return xstrdup("neither an active mailbox nor an active alias; "
			       "Postfix says so itself");
	return is_decided_by_alias(answer) ? reason_of_recipients(answer)
					   : reason_of_mailbox(answer);
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

static const char *state_of_login(const struct mailbox_row *mailbox)
{
	if (!mailbox->domain_active)
		return "the domain is inactive";
	if (!mailbox->active)
		return "the mailbox is inactive";
	if (mailbox->address == NULL ||
	    !text_is_clean(mailbox->address, strlen(mailbox->address)))
		return "the stored name holds control characters or invalid UTF-8";
	return NULL;
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

/* MUM's page says "leave blank for no limit", and means the domain's. */
static const char *words_of_quota(const struct user *user)
{
	switch (user->quota_source) {
	case QUOTA_OF_MAILBOX:
		return user->quota_gb > 0 ? "the quota is the mailbox's own"
					  : "no limit: the mailbox's own quota is 0";
	case QUOTA_OF_DOMAIN:
		return user->quota_gb > 0 ? "the quota is the domain's: the mailbox has none"
					  : "no limit: the mailbox has no quota, and the "
					    "domain's is 0";
	case QUOTA_OF_NOBODY:
		break;
	}
	return "no limit: neither the mailbox nor the domain has a quota";
}

char *reason_of_user(const struct mum_answer *answer)
{
	const struct facts *facts = answer->facts[MUM_USER];
	const struct mailbox_row *mailbox;
	struct user user = { .quota_gb = 0 };
	const char *why;

	if (facts->count == 0)
		return xstrdup("no mailbox has this name");
	mailbox = &facts->users[0].mailbox;
	(void)rule_user(answer, &user, &why);
	if (why != NULL)
		return xstrdup(why);
	if (state_of_login(mailbox) != NULL)
		return xstrdup(state_of_login(mailbox));
	if (mailbox->send_only)
		return xstrdup("the mailbox is send-only: it holds no mail");
	return xasprintf("the mailbox is active; %s", words_of_quota(&user));
}

char *reason_without_facts(const struct asked *asked)
{
	if (asked->answer.status == MUM_NOT_FOUND)
		return xstrdup("no name in MUM can be written so");
	return xstrdup(asked->reason != NULL ? asked->reason : "the database gave no answer");
}

/* ---- the policy service's checks ---- */

/* What "warn" makes of a refusal and of trouble. Takes over reason. */
static char *with_mode(char *reason, const char *option, int mode, bool accepted)
{
	char *text;

	if (mode != MUM_CHECK_WARN || accepted)
		return reason;
	text = xasprintf("%s; %s = \"warn\" lets it pass", reason, option);
	free(reason);
	return text;
}

char *reason_of_recipient_check(const struct asked *delivery,
				const struct mum_config *config)
{
	const struct mum_answer *answer = &delivery->answer;
	enum recipient_verdict verdict = RECIPIENT_UNKNOWN;
	bool answered = answer->status == MUM_FOUND || answer->status == MUM_NOT_FOUND;

	if (config->policy.recipient == MUM_CHECK_OFF)
		return xstrdup("policy.recipient = \"off\"");
	(void)rule_recipient(answer, &verdict);
	return with_mode(answer->status == MUM_FOUND ? reason_of_recipient(answer)
						     : reason_without_facts(delivery),
			 "policy.recipient", config->policy.recipient,
			 answered && reason_for_recipient(verdict) == REASON_NONE);
}

/* Of an answer that allows a verdict. */
static char *reason_of_sender(const struct mum_answer *answer, enum sender_verdict verdict,
			      const char *login)
{
	struct arena arena = { NULL };
	struct owners owners = { .count = 0 };
	bool owned;

	(void)rule_owners(answer, &arena, &owners);
	owned = owners.count > 0;
	arena_free(&arena);
	if (verdict == SENDER_NOT_LOGGED_IN)
		return xstrdup("the address belongs to somebody here, and nobody logged in");
	if (verdict == SENDER_ACCEPTED && !owned)
		return xstrdup("the address belongs to nobody here");
	return xasprintf(verdict == SENDER_ACCEPTED ? "<%s> may send as this address"
						    : "<%s> may not send as this address",
			 login);
}

char *reason_of_sender_check(const struct asked *owners, const char *login,
			     const struct mum_config *config)
{
	enum sender_verdict verdict = SENDER_ACCEPTED;
	bool answered;

	if (config->policy.sender == MUM_CHECK_OFF)
		return xstrdup("policy.sender = \"off\"");
	if (*login == '\0' &&
	    config->policy.sender_unauthenticated == MUM_UNAUTHENTICATED_ACCEPT)
		return xstrdup("nobody logged in: policy.sender_unauthenticated = \"accept\"");
	answered = rule_sender(&owners->answer, login,
			       config->policy.sender_login == MUM_SENDER_KNOWN,
			       &verdict) == MUM_FOUND;
	return with_mode(answered ? reason_of_sender(&owners->answer, verdict, login)
				  : reason_without_facts(owners),
			 "policy.sender", config->policy.sender,
			 answered && verdict == SENDER_ACCEPTED);
}
