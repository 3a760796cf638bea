/* SPDX-License-Identifier: MIT */
#include "common/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "common/keyed-hash.h"
#include "common/xalloc.h"

/* ---- a list in which each address stands once ---- */

struct unique_entry {
	UT_hash_handle hh;
	char *folded;
};

struct unique_list {
	struct arena *arena;
	struct unique_entry *by_folded;
	struct keyed_hash hash;
	size_t count, size;
	const char **items;
};

/* Adds text unless an equal address is there. text must live in the arena or longer. */
static void unique_add(struct unique_list *list, const char *text)
{
	char *folded = address_fold(text);
	size_t len = strlen(folded);
	struct unique_entry *entry;
	unsigned hash;

	if (list->by_folded == NULL)
		keyed_hash_init(&list->hash);
	hash = keyed_hash(&list->hash, folded, len);
	HASH_FIND_BYHASHVALUE(hh, list->by_folded, folded, len, hash, entry);
	if (entry != NULL) {
		free(folded);
		return;
	}
	entry = xmalloc(sizeof(*entry));
	entry->folded = folded;
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, list->by_folded, folded, len, hash, entry);
	if (list->count == list->size) {
		const char **bigger;

		list->size = list->size > 0 ? list->size * 2 : 8;
		bigger = arena_alloc(list->arena, list->size * sizeof(*bigger));
		for (size_t i = 0; i < list->count; i++)
			bigger[i] = list->items[i];
		list->items = bigger;
	}
	list->items[list->count++] = text;
}

static void unique_finish(struct unique_list *list)
{
	struct unique_entry *entry, *next;

	HASH_ITER(hh, list->by_folded, entry, next) {
		HASH_DEL(list->by_folded, entry);
		free(entry->folded);
		free(entry);
	}
}

/* A name that a log or another program can be handed. */
static bool is_clean(const char *text)
{
	return text != NULL && text_is_clean(text, strlen(text));
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

enum mum_status rule_mailbox(const struct mum_answer *answer,
			     const struct mailbox_row **mailbox_r)
{
	const struct facts *facts = answer->facts[MUM_MAILBOX];
	const struct mailbox_row *best = NULL;

	if (answer->status != MUM_FOUND)
		return answer->status;
	for (size_t i = 0; i < facts->count; i++) {
		const struct mailbox_row *row = &facts->mailboxes[i];

		if (is_active(row) && (best == NULL || row->form < best->form))
			best = row;
	}
	*mailbox_r = best;
	return best != NULL ? MUM_FOUND : MUM_NOT_FOUND;
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
	ALIAS_LIVE
};

static bool alias_exists(const struct recipient_row *row)
{
	return row->domain_active && row->active && !row->expired;
}

static const char *trim(struct arena *arena, const char *text)
{
	static const char blanks[] = " \t\r\n";
	size_t len;

	text += strspn(text, blanks);
	len = strlen(text);
	while (len > 0 && strchr(blanks, text[len - 1]) != NULL)
		len--;
	return arena_strndup(arena, text, len);
}

static bool is_same_address(const char *a, const char *b)
{
	char *a_folded = address_fold(a), *b_folded = address_fold(b);
	bool same = strcmp(a_folded, b_folded) == 0;

	free(a_folded);
	free(b_folded);
	return same;
}

/*
 * The trimmed recipient if mail to it gets anywhere, else NULL. An alias that
 * names itself is how admins keep a copy in the mailbox of that name: Postfix
 * ends the recursion there (virtual(5)), so that mailbox must accept mail.
 */
static const char *live_recipient(const struct recipient_row *row, struct arena *arena)
{
	const char *recipient;

	if (row->recipient == NULL)
		return NULL;
	recipient = trim(arena, row->recipient);
	if (*recipient == '\0')
		return NULL;
	if (is_same_address(recipient, row->alias))
		return row->self_accepts ? recipient : NULL;
	if (row->local && (!row->mailbox_active || !row->mailbox_domain_active ||
			   row->mailbox_send_only))
		return NULL;
	return recipient;
}

/* The alias of one form; its live recipients go to the list. */
static enum alias_state judge_alias(const struct facts *facts, size_t form,
				    struct unique_list *list)
{
	enum alias_state state = ALIAS_NONE;

	for (size_t i = 0; i < facts->count; i++) {
		const struct recipient_row *row = &facts->recipients[i];
		const char *recipient;

		if (row->form != form || !alias_exists(row))
			continue;
		recipient = live_recipient(row, list->arena);
		if (recipient != NULL) {
			unique_add(list, recipient);
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
	enum alias_state first = ALIAS_NONE;

	for (size_t form = 0; form < answer->address->forms_count; form++) {
		struct unique_list list = { .arena = arena };
		enum alias_state state =
			judge_alias(answer->facts[MUM_RECIPIENTS], form, &list);

		unique_finish(&list);
		if (state == ALIAS_LIVE) {
			*recipients_r = (struct recipients){
				answer->address->forms[form].extension, list.count,
				list.items
			};
			return state;
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
	const struct mailbox_row *mailbox;
	enum alias_state alias;

	if (answer->status != MUM_FOUND)
		return answer->status;
	alias = find_alias(answer, &arena, &recipients);
	arena_free(&arena);
	if (alias == ALIAS_LIVE)
		*verdict_r = RECIPIENT_ACCEPTED;
	else if (rule_mailbox(answer, &mailbox) == MUM_FOUND)
		*verdict_r = mailbox->send_only ? RECIPIENT_SEND_ONLY : RECIPIENT_ACCEPTED;
	else if (alias == ALIAS_DEAD)
		*verdict_r = RECIPIENT_DEAD_ALIAS;
	else
		*verdict_r = alias == ALIAS_EMPTY ? RECIPIENT_ACCEPTED : RECIPIENT_UNKNOWN;
	return MUM_FOUND;
}

/* ---- senders ---- */

static bool is_owner(const struct owner_row *row)
{
	if (!row->domain_active || !row->mailbox_active || !row->mailbox_domain_active)
		return false;
	return !row->through_alias || (row->alias_active && !row->alias_expired);
}

enum mum_status rule_owners(const struct mum_answer *answer, struct arena *arena,
			    struct owners *owners_r)
{
	const struct facts *facts = answer->facts[MUM_OWNERS];

	if (answer->status != MUM_FOUND)
		return answer->status;
	for (size_t form = 0; form < answer->address->forms_count; form++) {
		struct unique_list list = { .arena = arena };

		for (size_t i = 0; i < facts->count; i++) {
			const struct owner_row *row = &facts->owners[i];

			if (row->form == form && is_owner(row))
				unique_add(&list, row->login);
		}
		unique_finish(&list);
		if (list.count > 0) {
			*owners_r = (struct owners){ list.count, list.items };
			return MUM_FOUND;
		}
	}
	return MUM_NOT_FOUND;
}

static bool owns(const struct owners *owners, const char *login)
{
	for (size_t i = 0; i < owners->count; i++) {
		if (is_same_address(owners->logins[i], login))
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
static bool parse_quota(const char *text, unsigned long *quota_r)
{
	char *end;

	if (text == NULL || *text < '0' || *text > '9')
		return false;
	errno = 0;
	*quota_r = strtoul(text, &end, 10);
	return errno == 0 && *end == '\0' && *quota_r < 1UL << 33;
}

/* "/../" leads out of the place that the admin gave to mail. */
static bool is_plain_path(const char *path)
{
	size_t len = strlen(path);

	return path[0] == '/' && strstr(path, "/../") == NULL &&
	       (len < 3 || strcmp(path + len - 3, "/..") != 0);
}

static const char *read_user(const struct user_row *row, struct user *user_r)
{
	*user_r = (struct user){ row->mailbox.address, row->homedir, row->maildir, 0 };
	if (row->homedir == NULL || !is_plain_path(row->homedir))
		return "homedir is not an absolute path of printable characters";
	if (row->maildir == NULL || *row->maildir == '\0')
		return "maildir is empty or holds control characters";
	if (!parse_quota(row->quota, &user_r->quota_gb))
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
