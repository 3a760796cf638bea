/* SPDX-License-Identifier: MIT */
#include "common/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/address-list.h"
#include "common/text.h"
#include "common/xalloc.h"

/* A name that a log or another program can be handed. */
static bool is_clean(const char *text)
{
	return text != NULL && text_is_clean(text, strlen(text));
}

/* ---- readings of one address ---- */

enum mum_status rule_strictest(const struct judged *readings, size_t count,
			       int *verdict_r)
{
	*verdict_r = 0;
	for (size_t i = 0; i < count; i++) {
		if (i > 0 && readings[i].if_local) {
			if (readings[i - 1].domain == MUM_FOUND)
				break;
			if (readings[i - 1].domain != MUM_NOT_FOUND)
				return readings[i - 1].domain;
		}
		if (readings[i].status != MUM_FOUND)
			return readings[i].status;
		if (readings[i].verdict > *verdict_r)
			*verdict_r = readings[i].verdict;
	}
	return MUM_FOUND;
}

/* ---- domains, mailboxes, TLS policies ---- */

static bool is_active(const struct mailbox_row *mailbox)
{
	return mailbox->domain_active && mailbox->active;
}

enum mum_status rule_domain(const struct mum_answer *answer, const char **name_r)
{
	const struct facts *facts = answer->facts[MUM_DOMAIN];

	if (answer->status != MUM_FOUND)
		return answer->status;
	for (size_t i = 0; i < facts->count; i++) {
		if (facts->domains[i].active) {
			*name_r = facts->domains[i].name;
			return MUM_FOUND;
		}
	}
	return MUM_NOT_FOUND;
}

static bool has_active_mailbox(const struct delivery_row *row)
{
	return row->domain_active && row->mailbox != NULL && row->mailbox_active;
}

/* Rows come form by form, so the first one found is the first form's. */
enum mum_status rule_mailbox(const struct mum_answer *answer,
			     const struct delivery_row **mailbox_r)
{
	const struct facts *facts = answer->facts[MUM_DELIVERY];

	if (answer->status != MUM_FOUND)
		return answer->status;
	for (size_t i = 0; i < facts->count; i++) {
		if (has_active_mailbox(&facts->deliveries[i])) {
			*mailbox_r = &facts->deliveries[i];
			return MUM_FOUND;
		}
	}
	return MUM_NOT_FOUND;
}

enum mum_status rule_tls(const struct mum_answer *answer, const char **policy_r,
			 const char **params_r)
{
	const struct facts *facts = answer->facts[MUM_TLS];

	if (answer->status != MUM_FOUND)
		return answer->status;
	for (size_t i = 0; i < facts->count; i++) {
		const struct tls_row *row = &facts->tls[i];

		if (row->active) {
			*policy_r = row->policy;
			*params_r = row->params != NULL ? row->params : "";
			return MUM_FOUND;
		}
	}
	return MUM_NOT_FOUND;
}

/* ---- aliases ---- */

enum alias_state {
	ALIAS_NONE,	/* not there, inactive or expired */
	ALIAS_EMPTY,	/* no recipients at all */
	ALIAS_DEAD,	/* recipients, but none that mail could reach */
	ALIAS_LIVE,
	ALIAS_TOO_LONG	/* live, with recipients that were left out */
};

static bool has_active_alias(const struct delivery_row *row)
{
	return row->domain_active && row->alias != NULL && row->alias_active &&
	       !row->alias_expired;
}

/* Does the alias's own name, as which the recipient is written, take mail? */
static enum recipient_state state_of_itself(const struct delivery_row *row)
{
	return has_active_mailbox(row) && !row->mailbox_send_only ? RECIPIENT_IS_LIVE
								  : RECIPIENT_IS_ALIAS_ITSELF;
}

static enum recipient_state state_of_mailbox(const struct delivery_row *row)
{
	if (!row->recipient_domain_active)
		return RECIPIENT_IS_IN_INACTIVE_DOMAIN;
	if ((row->recipient_active && !row->recipient_send_only) || row->behind.alias)
		return RECIPIENT_IS_LIVE;
	return row->recipient_active ? RECIPIENT_IS_SEND_ONLY : RECIPIENT_IS_INACTIVE;
}

static enum recipient_state state_of_text(const struct behind *behind)
{
	if (!behind->ours || behind->alias)
		return RECIPIENT_IS_LIVE;
	if (behind->mailbox)
		return behind->send_only ? RECIPIENT_IS_SEND_ONLY : RECIPIENT_IS_LIVE;
	if (behind->known)
		return RECIPIENT_IS_INACTIVE;
	return behind->elsewhere ? RECIPIENT_IS_LIVE : RECIPIENT_IS_UNKNOWN;
}

enum recipient_state rule_recipient_state(const struct delivery_row *row)
{
	if (row->stands_for == NULL)
		return RECIPIENT_IS_GONE;
	if (*row->stands_for == '\0')
		return RECIPIENT_IS_BLANK;
	if (address_is_same(row->stands_for, row->alias))
		return state_of_itself(row);
	if (row->behind.alias_itself)
		return RECIPIENT_HAS_NO_END;
	return row->recipient_local ? state_of_mailbox(row) : state_of_text(&row->behind);
}

bool rule_must_ask_behind(const struct delivery_row *row)
{
	if (row->recipient == NULL || row->stands_for == NULL || *row->stands_for == '\0')
		return false;
	/* Only an alias of the same name could take what this mailbox does not. */
	if (row->recipient_local)
		return row->recipient_domain_active &&
		       (!row->recipient_active || row->recipient_send_only);
	return true;
}

bool rule_takes_mail(const struct name_row *row)
{
	return row->domain_active && row->alias_active && !row->alias_expired &&
	       row->alias_has_recipients;
}

void rule_behind(const struct mum_answer *answer, struct behind *behind_r)
{
	const struct facts *facts = answer->facts[MUM_NAME];

	for (size_t i = 0; facts != NULL && i < facts->count; i++) {
		const struct name_row *row = &facts->names[i];

		if (!row->domain_active)
			continue;
		behind_r->ours = true;
		if (row->mailbox || row->alias)
			behind_r->known = true;
		if (rule_takes_mail(row))
			behind_r->alias = true;
		/* The first form's, as for rule_mailbox(). */
		if (row->mailbox_active && !behind_r->mailbox) {
			behind_r->mailbox = true;
			behind_r->send_only = row->mailbox_send_only;
		}
	}
}

static bool is_live(const struct delivery_row *row)
{
	return row->recipient != NULL && rule_recipient_state(row) == RECIPIENT_IS_LIVE;
}

/* The alias of one form; its live recipients go to the list. */
static enum alias_state judge_alias(const struct facts *facts, size_t form,
				    struct address_list *list)
{
	enum alias_state state = ALIAS_NONE;

	for (size_t i = 0; i < facts->count; i++) {
		const struct delivery_row *row = &facts->deliveries[i];

		if (row->form != form || !has_active_alias(row))
			continue;
		if (row->left_out > 0)
			return ALIAS_TOO_LONG;
		if (is_live(row)) {
			address_list_add(list, row->stands_for,
					 row->recipient_local || row->behind.ours);
			state = ALIAS_LIVE;
		} else if (state != ALIAS_LIVE) {
			state = row->recipient != NULL || state == ALIAS_DEAD
					? ALIAS_DEAD : ALIAS_EMPTY;
		}
	}
	return state;
}

/* The first live alias; else the first alias that exists at all. */
static enum alias_state find_alias(const struct mum_answer *answer, struct arena *arena,
				   struct recipients *recipients_r)
{
	const struct facts *facts = answer->facts[MUM_DELIVERY];
	enum alias_state first = ALIAS_NONE;

	for (size_t form = 0; form < answer->address->forms_count; form++) {
		struct address_list list = { 0, 0, NULL };
		enum alias_state state = judge_alias(facts, form, &list);

		if (state == ALIAS_LIVE || state == ALIAS_TOO_LONG) {
			recipients_r->too_long = state == ALIAS_TOO_LONG;
			recipients_r->form = form;
			recipients_r->extension =
				answer->drops_extension
					? "" : answer->address->forms[form].extension;
			recipients_r->addresses = address_list_finish(&list, arena,
								      &recipients_r->count);
			return ALIAS_LIVE;
		}
		if (first == ALIAS_NONE)
			first = state;
	}
	return first;
}

enum mum_status rule_recipients(const struct mum_answer *answer, struct arena *arena,
				struct recipients *recipients_r)
{
	if (answer->status != MUM_FOUND)
		return answer->status;
	return find_alias(answer, arena, recipients_r) == ALIAS_LIVE ? MUM_FOUND
								     : MUM_NOT_FOUND;
}

enum mum_status rule_recipient(const struct mum_answer *answer,
			       enum recipient_verdict *verdict_r)
{
	struct arena arena = { NULL };
	struct recipients recipients;
	const struct delivery_row *mailbox;
	enum alias_state alias;

	if (answer->status != MUM_FOUND)
		return answer->status;
	alias = find_alias(answer, &arena, &recipients);
	arena_free(&arena);
	if (alias == ALIAS_LIVE)
		*verdict_r = RECIPIENT_ACCEPTED;
	else if (rule_mailbox(answer, &mailbox) == MUM_FOUND)
		*verdict_r = mailbox->mailbox_send_only ? RECIPIENT_SEND_ONLY : RECIPIENT_ACCEPTED;
	else if (alias == ALIAS_DEAD)
		*verdict_r = RECIPIENT_DEAD_ALIAS;
	else
		*verdict_r = alias == ALIAS_EMPTY ? RECIPIENT_ACCEPTED : RECIPIENT_UNKNOWN;
	return MUM_FOUND;
}

/* ---- senders ---- */

bool rule_is_owner(const struct owner_row *row)
{
	if (!row->domain_active || !row->mailbox_active || !row->mailbox_domain_active)
		return false;
	return row->id == 0 || (row->alias_active && !row->alias_expired);
}

enum mum_status rule_owners(const struct mum_answer *answer, struct arena *arena,
			    struct owners *owners_r)
{
	const struct facts *facts = answer->facts[MUM_OWNERS];

	if (answer->status != MUM_FOUND)
		return answer->status;
	for (size_t form = 0; form < answer->address->forms_count; form++) {
		struct address_list list = { 0, 0, NULL };

		for (size_t i = 0; i < facts->count; i++) {
			const struct owner_row *row = &facts->owners[i];

			if (row->form == form && rule_is_owner(row))
				address_list_add(&list, row->login, true);
		}
		if (list.count > 0) {
			owners_r->logins = address_list_finish(&list, arena,
							       &owners_r->count);
			return MUM_FOUND;
		}
	}
	return MUM_NOT_FOUND;
}

static bool owns(const struct owners *owners, const char *login)
{
	for (size_t i = 0; i < owners->count; i++) {
		if (address_is_same(owners->logins[i], login))
			return true;
	}
	return false;
}

enum mum_status rule_sender(const struct mum_answer *answer, const char *login,
			    bool known_only, enum sender_verdict *verdict_r)
{
	struct arena arena = { NULL };
	struct owners owners = { 0, NULL };
	enum mum_status status = rule_owners(answer, &arena, &owners);

	if (status == MUM_FOUND || status == MUM_NOT_FOUND) {
		if (owners.count == 0 && (known_only || *login == '\0'))
			*verdict_r = SENDER_ACCEPTED;
		else if (*login == '\0')
			*verdict_r = SENDER_NOT_LOGGED_IN;
		else
			*verdict_r = owns(&owners, login) ? SENDER_ACCEPTED
							  : SENDER_NOT_OWNED;
		status = MUM_FOUND;
	}
	arena_free(&arena);
	return status;
}

/* ---- users ---- */

enum mum_status rule_credential(const struct mum_answer *answer,
				struct credential *credential_r)
{
	const struct facts *facts = answer->facts[MUM_CREDENTIAL];

	if (answer->status != MUM_FOUND)
		return answer->status;
	for (size_t i = 0; i < facts->count; i++) {
		const struct credential_row *row = &facts->credentials[i];

		if (is_active(&row->mailbox) && is_clean(row->mailbox.address)) {
			*credential_r = (struct credential){ row->mailbox.address,
							     row->password,
							     row->mailbox.send_only };
			return MUM_FOUND;
		}
	}
	return MUM_NOT_FOUND;
}

static bool has_mail(const struct mailbox_row *mailbox)
{
	return is_active(mailbox) && !mailbox->send_only && is_clean(mailbox->address);
}

/* Gigabytes that still fit 63 bits as bytes. */
static bool parse_quota(const char *text, uint64_t *quota_r)
{
	char *end;

	if (text == NULL || *text < '0' || *text > '9')
		return false;
	errno = 0;
	*quota_r = strtoull(text, &end, 10);
	return errno == 0 && *end == '\0' && *quota_r < UINT64_C(1) << 33;
}

/* "/../" leads out of the place that the admin gave to mail. */
static bool is_plain_path(const char *path)
{
	size_t len = strlen(path);

	return path[0] == '/' && strstr(path, "/../") == NULL &&
	       (len < 3 || strcmp(path + len - 3, "/..") != 0);
}

/*
 * Does the path of a mail location, DRIVER:PATH:KEY=VALUE..., or one of its values lead
 * upwards? Names a component ".." of any of them.
 */
static bool leads_upwards(const char *location)
{
	static const char ends[] = "/:=";

	for (const char *at = location; (at = strstr(at, "..")) != NULL; at += 2) {
		bool begins = at == location || strchr(ends, at[-1]) != NULL;

		if (begins && (at[2] == '\0' || at[2] == '/' || at[2] == ':'))
			return true;
	}
	return false;
}

/* A quota of MUM's own for the mailbox counts, and 0 is one: unlimited. */
static const char *quota_of(const struct user_row *row, enum quota_source *source_r)
{
	*source_r = row->quota != NULL	       ? QUOTA_OF_MAILBOX
		    : row->domain_quota != NULL ? QUOTA_OF_DOMAIN
						: QUOTA_OF_NOBODY;
	switch (*source_r) {
	case QUOTA_OF_MAILBOX:
		return row->quota;
	case QUOTA_OF_DOMAIN:
		return row->domain_quota;
	case QUOTA_OF_NOBODY:
		break;
	}
	return "0";
}

static const char *read_user(const struct user_row *row, struct user *user_r)
{
	enum quota_source source;
	const char *quota = quota_of(row, &source);

	*user_r = (struct user){ row->mailbox.address, row->homedir, row->maildir, 0, source };
	if (row->homedir == NULL || !is_plain_path(row->homedir))
		return "homedir is not an absolute path of printable characters";
	if (row->maildir == NULL || *row->maildir == '\0')
		return "maildir is empty or holds control characters";
	if (leads_upwards(row->maildir))
		return "maildir leads upwards (/../)";
	if (!parse_quota(quota, &user_r->quota_gb))
		return "quota is not a number of gigabytes below 2^33";
	return NULL;
}

enum mum_status rule_user(const struct mum_answer *answer, struct user *user_r,
			  const char **why_r)
{
	const struct facts *facts = answer->facts[MUM_USER];

	*why_r = NULL;
	if (answer->status != MUM_FOUND)
		return answer->status;
	for (size_t i = 0; i < facts->count; i++) {
		const struct user_row *row = &facts->users[i];

		if (!has_mail(&row->mailbox))
			continue;
		*why_r = read_user(row, user_r);
		return *why_r == NULL ? MUM_FOUND : MUM_TEMPFAIL;
	}
	return MUM_NOT_FOUND;
}

bool rule_is_listed(const struct listed_row *row)
{
	return has_mail(&row->mailbox);
}
