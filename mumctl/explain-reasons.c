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

static bool is_same(const char *one, const char *other)
{
	char *folded = address_fold(one), *other_folded = address_fold(other);
	bool same = strcmp(folded, other_folded) == 0;

	free(folded);
	free(other_folded);
	return same;
}

static bool is_in(const struct recipients *live, const char *recipient)
{
	for (size_t i = 0; i < live->count; i++) {
		if (is_same(live->addresses[i], recipient))
			return true;
	}
	return false;
}

/* Of a recipient that rule_recipients() leaves out. */
static const char *why_dead(const struct delivery_row *row, const char *recipient)
{
	if (*recipient == '\0')
		return "is blank";
	if (is_same(recipient, row->alias))
		return "is the alias itself, and no mailbox of that name accepts mail";
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

/* As rule_recipients() trims it. Caller frees. */
static char *trimmed(const char *text)
{
	static const char blanks[] = " \t\r\n";
	char *copy = xstrdup(text + strspn(text, blanks));
	size_t len = strlen(copy);

	while (len > 0 && strchr(blanks, copy[len - 1]) != NULL)
		copy[--len] = '\0';
	return copy;
}

/* Why this recipient is not among the live ones, if it is not. */
static void put_dead(struct buf *text, const struct delivery_row *row,
		     const struct recipients *live)
{
	char *recipient = trimmed(row->recipient);
	const char *why = is_in(live, recipient) ? NULL : why_dead(row, recipient);

	if (why != NULL && !text->failed)
		buf_printf(text, "; <%s> %s", row->recipient, why);
	free(recipient);
}

/* "2 of 3 recipients get mail; <x@y> is send-only" */
static char *count_recipients(const struct facts *facts, size_t form,
			      const struct recipients *live)
{
	struct buf text = BUF_INIT(REASON_MAX), dead = BUF_INIT(REASON_MAX / 2);
	size_t all = 0;

	for (size_t i = 0; i < facts->count; i++) {
		const struct delivery_row *row = &facts->deliveries[i];

		if (row->form != form || row->recipient == NULL)
			continue;
		all++;
		put_dead(&dead, row, live);
	}
	buf_printf(&text, "%zu of %zu recipients get mail", live->count, all);
	/* What did not fit is seen in the rows. */
	buf_put(&text, dead.data, dead.len);
	buf_free(&dead);
	return buf_steal(&text);
}

/* The form whose alias counts: the first that has live recipients, else the first. */
static bool find_alias_form(const struct mum_answer *answer, const struct recipients *live,
			    const struct delivery_row **row_r)
{
	const struct facts *facts = answer->facts[MUM_DELIVERY];
	bool found = false;

	for (size_t i = 0; i < facts->count; i++) {
		const struct delivery_row *row = &facts->deliveries[i];

		if (row->alias == NULL)
			continue;
		if (!found)
			*row_r = row;
		found = true;
		if (live->count > 0 && state_of_alias(row) == NULL && row->recipient != NULL &&
		    strcmp(answer->address->forms[row->form].extension, live->extension) == 0) {
			char *recipient = trimmed(row->recipient);
			bool is_live = is_in(live, recipient);

			free(recipient);
			if (is_live) {
				*row_r = row;
				break;
			}
		}
	}
	return found;
}

char *reason_of_recipients(const struct mum_answer *answer)
{
	struct arena arena = { NULL };
	struct recipients live = { .count = 0 };
	const struct delivery_row *row;
	char *reason;

	(void)rule_recipients(answer, &arena, &live);
	if (!find_alias_form(answer, &live, &row))
		reason = xstrdup("no alias has this name");
	else if (state_of_alias(row) != NULL)
		reason = xstrdup(state_of_alias(row));
	else
		reason = count_recipients(answer->facts[MUM_DELIVERY], row->form, &live);
	arena_free(&arena);
	return reason;
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
