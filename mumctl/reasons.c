/* SPDX-License-Identifier: MIT */
#include "mumctl/reasons.h"

#include <stdlib.h>
#include <string.h>

#include "common/rules.h"
#include "common/rules-users.h"
#include "common/text.h"
#include "common/xalloc.h"
#include "mumctl/verify.h"
#include "postfix-policy/protocol/action.h"

enum { REASON_MAX = 4096 };	/* bytes; an alias may have many recipients */

/* ---- states in words ---- */

const char *reason_of_domain_state(enum domain_state state, const char **mail_r)
{
	switch (state) {
	case DOMAIN_IS_FOREIGN:
		*mail_r = "nobody here gets its mail, because it is no domain of MUM's";
		return "no domain has this name";
	case DOMAIN_IS_INACTIVE:
		*mail_r = "nobody here gets its mail, because the domain is inactive";
		return "the domain is inactive";
	case DOMAIN_IS_OURS:
		break;
	}
	*mail_r = "MUM's mailboxes and aliases get its mail";
	return "the domain is active";
}

static const char *words_of_tls(enum tls_state state)
{
	switch (state) {
	case TLS_IS_UNKNOWN:	return "no TLS policy has this name";
	case TLS_IS_INACTIVE:	return "the policy is inactive";
	case TLS_IS_ACTIVE:
		break;
	}
	return "the policy is active";
}

static const char *words_of_mailbox(enum mailbox_state state)
{
	switch (state) {
	case MAILBOX_IS_UNKNOWN:		return "no mailbox has this name";
	case MAILBOX_IS_IN_INACTIVE_DOMAIN:	return "the domain is inactive";
	case MAILBOX_IS_INACTIVE:		return "the mailbox is inactive";
	case MAILBOX_HAS_UNCLEAN_NAME:
		return "the stored name holds control characters or invalid UTF-8";
	case MAILBOX_IS_SEND_ONLY:		return "the mailbox is active, and send-only";
	case MAILBOX_IS_LIVE:
		break;
	}
	return "the mailbox is active";
}

/* NULL where its recipients tell more. */
static const char *words_of_alias(enum alias_state state)
{
	switch (state) {
	case ALIAS_IS_UNKNOWN:			return "no alias has this name";
	case ALIAS_IS_IN_INACTIVE_DOMAIN:	return "the domain is inactive";
	case ALIAS_IS_INACTIVE:			return "the alias is inactive";
	case ALIAS_IS_EXPIRED:			return "the alias has passed its deactivate_at";
	case ALIAS_IS_EMPTY:
	case ALIAS_IS_DEAD:
	case ALIAS_IS_LIVE:
	case ALIAS_IS_TOO_LONG:
		break;
	}
	return NULL;
}

/* For a recipient that rule_recipients() leaves out; else NULL. */
static const char *words_of_recipient(enum recipient_state state)
{
	switch (state) {
	case RECIPIENT_IS_LIVE:
		break;
	case RECIPIENT_IS_BLANK:		return "is blank";
	case RECIPIENT_IS_ALIAS_ITSELF:
		return "is the alias itself, and no mailbox of that name accepts mail";
	case RECIPIENT_IS_IN_INACTIVE_DOMAIN:	return "is in an inactive domain";
	case RECIPIENT_IS_INACTIVE:		return "is inactive";
	case RECIPIENT_IS_SEND_ONLY:		return "is send-only";
	case RECIPIENT_IS_GONE:			return "names a mailbox that is gone";
	case RECIPIENT_IS_UNKNOWN:		return "is unknown in a domain of MUM's";
	case RECIPIENT_HAS_NO_END:
		return "is the alias itself in another spelling, which never ends";
	}
	return NULL;
}

/* For an owner that rule_owners() leaves out; else NULL. */
static const char *words_of_owner(enum owner_state state)
{
	switch (state) {
	case OWNER_IS_LIVE:
		break;
	case OWNER_IS_IN_INACTIVE_DOMAIN:
		return "its domain or that of the address is inactive";
	case OWNER_IS_INACTIVE_ITSELF:
	case OWNER_IS_INACTIVE:			return "the mailbox is inactive";
	case OWNER_OF_INACTIVE_ALIAS:		return "the alias is inactive";
	case OWNER_OF_EXPIRED_ALIAS:		return "the alias has passed its deactivate_at";
	case OWNER_IS_INACTIVE_OF_EXPIRED_ALIAS:
		return "the mailbox is inactive, and the alias has passed its deactivate_at";
	}
	return NULL;
}

/* ---- maps ---- */

static char *reason_of_domain(const struct mum_answer *answer)
{
	const struct domain_row *row;
	const char *mail;

	return xstrdup(reason_of_domain_state(state_of_domain(answer->facts[MUM_DOMAIN], &row),
					      &mail));
}

static char *reason_of_tls(const struct mum_answer *answer)
{
	const struct tls_row *row;

	return xstrdup(words_of_tls(state_of_tls(answer->facts[MUM_TLS], &row)));
}

static char *reason_of_mailbox(const struct mum_answer *answer)
{
	const struct delivery_row *row;
	enum mailbox_state state = rule_mailbox_state(answer, &row);

	return state_is_active(state)
		       ? xasprintf("<%s>: %s", row->mailbox, words_of_mailbox(state))
		       : xstrdup(words_of_mailbox(state));
}

/* Why the alias counts for an address that is not its name. */
static const char *words_of_form(enum address_form_kind kind)
{
	switch (kind) {
	case FORM_IS_NAME:
		break;
	case FORM_IS_ROLE:	return "a role of mum.conf, and nobody else takes its mail: ";
	case FORM_IS_CATCH_ALL:	return "nothing has this name, so the domain's catch-all counts: ";
	}
	return "";
}

/* "2 of 3 recipients get mail; <x@y> is send-only" */
static char *count_recipients(const struct facts *facts, const struct recipients *found)
{
	struct buf text = BUF_INIT(REASON_MAX), dead = BUF_INIT(REASON_MAX / 2);
	size_t all = 0;

	for (size_t i = 0; i < facts->count; i++) {
		const struct delivery_row *row = &facts->deliveries[i];
		const char *why;

		if (row->form != found->alias->form || row->recipient == NULL)
			continue;
		all++;
		why = words_of_recipient(state_of_recipient(row));
		if (why != NULL && !dead.failed)
			buf_printf(&dead, "; <%s> %s",
				   row->stands_for != NULL && *row->stands_for != '\0'
					   ? row->stands_for : row->recipient,
				   why);
	}
	buf_printf(&text, "%zu of %zu recipients get mail", found->count, all);
	/* The rows show what did not fit. */
	buf_put(&text, dead.data, dead.len);
	buf_free(&dead);
	return buf_steal(&text);
}

/* The alias must be there. */
static char *reason_of_alias(const struct mum_answer *answer, const struct recipients *found)
{
	const char *form = words_of_form(answer->address->forms[found->alias->form].kind);
	char *of_alias, *reason;

	if (found->state == ALIAS_IS_TOO_LONG)
		of_alias = xasprintf("%zu recipients are more than a mail server can be handed",
				     found->alias->left_out);
	else if (words_of_alias(found->state) != NULL)
		of_alias = xstrdup(words_of_alias(found->state));
	else
		of_alias = count_recipients(answer->facts[MUM_DELIVERY], found);
	reason = xjoin(form, of_alias, "");
	free(of_alias);
	return reason;
}

static char *reason_of_recipients(const struct mum_answer *answer)
{
	struct arena arena = { NULL };
	struct recipients found = { .count = 0 };
	char *reason;

	(void)rule_recipients(answer, &arena, &found);
	reason = found.alias != NULL ? reason_of_alias(answer, &found)
				     : xstrdup(words_of_alias(ALIAS_IS_UNKNOWN));
	arena_free(&arena);
	return reason;
}

static char *reason_of_recipient(const struct mum_answer *answer)
{
	struct recipient_ruling ruling = { .verdict = RECIPIENT_UNKNOWN };

	(void)rule_recipient(answer, &ruling);
	if (ruling.verdict == RECIPIENT_UNKNOWN)
		return xstrdup("neither an active mailbox nor an active alias; "
			       "Postfix says so itself");
	return ruling.alias != NULL ? reason_of_recipients(answer) : reason_of_mailbox(answer);
}

/* Those of the name itself, or of the catch-all, that may not send. Returns how many. */
static size_t put_dead_owners(const struct mum_answer *answer, enum address_form_kind kind,
			      struct buf *dead)
{
	const struct facts *facts = answer->facts[MUM_OWNERS];
	size_t count = 0;

	for (size_t i = 0; i < facts->count; i++) {
		const struct owner_row *row = &facts->owners[i];
		const char *why = words_of_owner(state_of_owner(row));

		if (answer->address->forms[row->form].kind != kind || why == NULL)
			continue;
		count++;
		if (!dead->failed)
			buf_printf(dead, "%s<%s>: %s", dead->len > 0 ? "; " : "", row->login, why);
	}
	return count;
}

/* "1 of 2 mailboxes may send as this address; <x@y>: the alias is inactive" */
static char *reason_of_owners(const struct mum_answer *answer)
{
	struct buf dead = BUF_INIT(REASON_MAX / 2);
	struct arena arena = { NULL };
	struct owners owners = { .count = 0 };
	enum address_form_kind kind = FORM_IS_NAME;
	char *reason, *others;
	size_t count;

	if (rule_owners(answer, &arena, &owners) == MUM_FOUND)
		kind = answer->address->forms[owners.form].kind;
	count = put_dead_owners(answer, kind, &dead);
	others = buf_steal(&dead);
	if (owners.count + count == 0)
		reason = xstrdup("no mailbox has this name, and no alias with senders");
	else if (owners.count == 0)
		reason = xstrdup(others);
	else
		reason = xasprintf("%s%zu of %zu mailboxes may send as this address%s%s",
				   words_of_form(kind), owners.count, owners.count + count,
				   count > 0 ? "; " : "", others);
	free(others);
	arena_free(&arena);
	return reason;
}

char *reason_without_facts(const struct asked *asked)
{
	if (asked->answer.status == MUM_NOT_FOUND)
		return xstrdup("MUM cannot hold such a name");
	return xstrdup(asked->reason != NULL ? asked->reason : "the database gave no answer");
}

char *reason_of_map(enum socketmap_number map, const struct asked *asked)
{
	static char *(*const reasons[])(const struct mum_answer *answer) = {
		[SOCKETMAP_DOMAINS] = reason_of_domain,
		[SOCKETMAP_MAILBOXES] = reason_of_mailbox,
		[SOCKETMAP_ALIASES] = reason_of_recipients,
		[SOCKETMAP_SENDERS] = reason_of_owners,
		[SOCKETMAP_ACCESS] = reason_of_recipient,
		[SOCKETMAP_TLS] = reason_of_tls,
	};
	_Static_assert(sizeof(reasons) / sizeof(reasons[0]) == SOCKETMAP_MAPS, "a cell for each map");

	return asked->answer.status == MUM_FOUND ? reasons[map](&asked->answer)
						 : reason_without_facts(asked);
}

/* ---- Dovecot ---- */

char *reason_of_passdb(const struct asked *asked, const struct mum_config *config,
		       const char **answer_r)
{
	const struct facts *facts = asked->answer.facts[MUM_CREDENTIAL];
	const struct hash_limits limits = hash_limits(config);
	struct credential credential;
	enum hash_scheme scheme;
	const char *why;

	*answer_r = tool_is_answered(asked->answer.status) ? "unknown user" : "temporary failure";
	if (asked->answer.status != MUM_FOUND)
		return reason_without_facts(asked);
	if (facts->count == 0)
		return xstrdup(words_of_mailbox(MAILBOX_IS_UNKNOWN));
	if (rule_credential(&asked->answer, &credential) != MUM_FOUND)
		return xstrdup(words_of_mailbox(state_of_login(&facts->credentials[0].mailbox)));
	why = hash_check(credential.password, &limits, &scheme);
	*answer_r = why == NULL ? "verifies the password" : "login refused";
	if (why != NULL)
		return xasprintf("mailboxes.password: %s", why);
	return xstrdup(credential.send_only ? "the mailbox is send-only: no login to read mail"
					    : words_of_mailbox(MAILBOX_IS_LIVE));
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

char *reason_of_userdb(const struct asked *asked)
{
	const struct facts *facts = asked->answer.facts[MUM_USER];
	enum mailbox_state state = MAILBOX_IS_UNKNOWN;
	struct user user = { .quota_gb = 0 };
	const char *why;

	if (asked->answer.status != MUM_FOUND)
		return reason_without_facts(asked);
	if (rule_user(&asked->answer, &user, &why) == MUM_FOUND)
		return xasprintf("%s; %s", words_of_mailbox(MAILBOX_IS_LIVE),
				 words_of_quota(&user));
	if (why != NULL)
		return xstrdup(why);
	if (facts->count > 0)
		state = state_of_login(&facts->users[0].mailbox);
	return xstrdup(state == MAILBOX_IS_SEND_ONLY
			       ? "the mailbox is send-only: it holds no mail"
			       : words_of_mailbox(state));
}

/* ---- the policy service's checks ---- */

char *reason_with_mode(char *reason, const char *option, enum mum_check mode, bool accepted)
{
	char *text;

	if (mode != MUM_CHECK_WARN || accepted)
		return reason;
	text = xasprintf("%s; %s = \"warn\" lets it pass", reason, option);
	free(reason);
	return text;
}

static char *reason_of_recipient_check(const struct asked *delivery,
				       const struct mum_config *config)
{
	const struct mum_answer *answer = &delivery->answer;
	struct recipient_ruling ruling = { .verdict = RECIPIENT_UNKNOWN };
	bool accepted;

	(void)rule_recipient(answer, &ruling);
	accepted = tool_is_answered(answer->status) &&
		   reason_for_recipient(ruling.verdict) == REASON_NONE;
	return reason_with_mode(reason_of_map(SOCKETMAP_ACCESS, delivery),
				"policy.recipient", config->policy.recipient, accepted);
}

/* The answer must allow a verdict. */
static char *reason_of_sender(const struct mum_answer *answer, enum sender_verdict verdict,
			      const char *login)
{
	struct arena arena = { NULL };
	struct owners owners = { .count = 0 };
	bool owned = rule_owners(answer, &arena, &owners) == MUM_FOUND;

	arena_free(&arena);
	if (verdict == SENDER_NOT_LOGGED_IN)
		return xstrdup("the address belongs to somebody here, and nobody logged in");
	if (verdict == SENDER_ACCEPTED && !owned)
		return xstrdup("the address belongs to nobody here");
	return xasprintf(verdict == SENDER_ACCEPTED ? "<%s> may send as this address"
						    : "<%s> may not send as this address",
			 login);
}

static char *reason_of_sender_check(const struct asked *owners, const char *login,
				    const struct mum_config *config)
{
	enum sender_verdict verdict = SENDER_ACCEPTED;
	bool answered = rule_sender(&owners->answer, login,
				    config->policy.sender_login == MUM_SENDER_KNOWN,
				    &verdict) == MUM_FOUND;

	return reason_with_mode(answered ? reason_of_sender(&owners->answer, verdict, login)
					 : reason_without_facts(owners),
				"policy.sender", config->policy.sender,
				answered && verdict == SENDER_ACCEPTED);
}

char *reason_of_check(enum question_kind kind, const struct asked *asked,
		      const char *login, const struct mum_config *config)
{
	return kind == MUM_DELIVERY ? reason_of_recipient_check(asked, config)
					: reason_of_sender_check(asked, login, config);
}

char *reason_unasked(enum question_kind kind, const char *login,
		     const struct mum_config *config)
{
	if (kind == MUM_DELIVERY && config->policy.recipient == MUM_CHECK_OFF)
		return xstrdup("policy.recipient = \"off\"");
	if (kind == MUM_OWNERS && config->policy.sender == MUM_CHECK_OFF)
		return xstrdup("policy.sender = \"off\"");
	if (kind == MUM_OWNERS && *login == '\0' &&
	    config->policy.sender_unauthenticated == MUM_UNAUTHENTICATED_ACCEPT)
		return xstrdup("nobody logged in: policy.sender_unauthenticated = \"accept\"");
	return xasprintf("Postfix may make more than %d addresses of it", READINGS_MAX);
}
