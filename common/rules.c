/* SPDX-License-Identifier: MIT */
#include "common/rules.h"

#include "common/address-fallback.h"
#include "common/address-list.h"

/* ---- readings of one address ---- */

size_t rule_readings_end(const struct judged *readings, size_t count)
{
	size_t end = 1;

	while (end < count && !(readings[end].if_local && readings[end - 1].domain == MUM_FOUND))
		end++;
	return end;
}

enum mum_status rule_strictest(const struct judged *readings, size_t count,
			       int *verdict_r)
{
	size_t end = rule_readings_end(readings, count);

	*verdict_r = 0;
	for (size_t i = 0; i < end; i++) {
		if (i > 0 && readings[i].if_local && readings[i - 1].domain != MUM_NOT_FOUND)
			return readings[i - 1].domain;
		if (readings[i].status != MUM_FOUND)
			return readings[i].status;
		if (readings[i].verdict > *verdict_r)
			*verdict_r = readings[i].verdict;
	}
	return MUM_FOUND;
}

/* ---- domains, TLS policies, mailboxes ---- */

enum mum_status rule_domain(const struct mum_answer *answer, const char **name_r)
{
	const struct domain_row *row;

	if (answer->status != MUM_FOUND)
		return answer->status;
	if (state_of_domain(answer->facts[MUM_DOMAIN], &row) != DOMAIN_IS_OURS)
		return MUM_NOT_FOUND;
	*name_r = row->name;
	return MUM_FOUND;
}

enum mum_status rule_tls(const struct mum_answer *answer, const char **policy_r,
			 const char **params_r)
{
	const struct tls_row *row;

	if (answer->status != MUM_FOUND)
		return answer->status;
	if (state_of_tls(answer->facts[MUM_TLS], &row) != TLS_IS_ACTIVE)
		return MUM_NOT_FOUND;
	*policy_r = row->policy;
	*params_r = row->params != NULL ? row->params : "";
	return MUM_FOUND;
}

/* Rows come form by form, so the first one found is the first form's. */
enum mailbox_state rule_mailbox_state(const struct mum_answer *answer,
				      const struct delivery_row **row_r)
{
	const struct facts *facts = answer->facts[MUM_DELIVERY];
	enum mailbox_state found = MAILBOX_IS_UNKNOWN;

	*row_r = NULL;
	for (size_t i = 0; i < facts->count && !state_is_active(found); i++) {
		const struct delivery_row *row = &facts->deliveries[i];
		enum mailbox_state state = state_of_mailbox(row);

		if (state_is_active(state) ||
		    (state != MAILBOX_IS_UNKNOWN && *row_r == NULL)) {
			found = state;
			*row_r = row;
		}
	}
	return found;
}

enum mum_status rule_mailbox(const struct mum_answer *answer,
			     const struct delivery_row **mailbox_r)
{
	const struct delivery_row *row;

	if (answer->status != MUM_FOUND)
		return answer->status;
	if (!state_is_active(rule_mailbox_state(answer, &row)))
		return MUM_NOT_FOUND;
	*mailbox_r = row;
	return MUM_FOUND;
}

/* ---- aliases ---- */

static enum address_form_kind kind_of(const struct mum_answer *answer, size_t form)
{
	return answer->address->forms[form].kind;
}

/* Has MUM a mailbox or an alias of the name, in whatever state? Asks MUM_NAME. */
static bool is_known(const struct mum_answer *answer)
{
	const struct facts *facts = answer->facts[MUM_NAME];

	for (size_t i = 0; i < facts->count; i++) {
		const struct name_row *row = &facts->names[i];

		if (kind_of(answer, row->form) == FORM_IS_NAME && (row->mailbox || row->alias))
			return true;
	}
	return false;
}

/* A role or a catch-all takes the mail of a name that nobody else takes. */
static bool falls_back(const struct mum_answer *answer, enum address_form_kind of)
{
	const struct facts *facts = answer->facts[MUM_NAME];
	size_t role;
	bool is_role = of != FORM_IS_ROLE && address_is_role(answer->address, &role);
	bool may_be_caught = of == FORM_IS_NAME && !is_known(answer);

	for (size_t i = 0; i < facts->count; i++) {
		const struct name_row *row = &facts->names[i];

		if (is_role && row->domain_active)
			return true;
		if (may_be_caught && kind_of(answer, row->form) == FORM_IS_CATCH_ALL &&
		    state_takes_mail(row))
			return true;
	}
	return false;
}

void rule_behind(const struct mum_answer *answer, enum address_form_kind of,
		 struct behind *behind_r)
{
	const struct facts *facts = answer->facts[MUM_NAME];

	if (facts == NULL)
		return;
	for (size_t i = 0; i < facts->count; i++) {
		const struct name_row *row = &facts->names[i];

		if (!row->domain_active)
			continue;
		behind_r->ours = true;
		if (kind_of(answer, row->form) != FORM_IS_NAME)
			continue;
		if (row->mailbox || row->alias)
			behind_r->known = true;
		if (state_takes_mail(row))
			behind_r->alias = true;
		/* The first form's, as for rule_mailbox(). */
		if (row->mailbox_active && !behind_r->mailbox) {
			behind_r->mailbox = true;
			behind_r->send_only = row->mailbox_send_only;
		}
	}
	if (behind_r->ours && !state_behind_takes_mail(behind_r))
		behind_r->fallback = falls_back(answer, of);
}

/* The alias of one form; its live recipients go to the list, unless that is NULL. */
static struct recipients judge_form(const struct facts *facts, size_t form,
				    struct address_list *list)
{
	struct recipients found = { .state = ALIAS_IS_UNKNOWN };

	for (size_t i = 0; i < facts->count; i++) {
		const struct delivery_row *row = &facts->deliveries[i];
		enum alias_state state;

		if (row->form != form)
			continue;
		state = state_of_alias(row);
		if (state > found.state) {
			found.state = state;
			found.alias = row;
		}
		if (state == ALIAS_IS_LIVE && list != NULL)
			address_list_add(list, row->stands_for,
					 row->recipient_local || row->behind.ours);
	}
	return found;
}

/* An alias that takes mail counts before one that exists, and that before any row. */
static int rank(enum alias_state state)
{
	return (state != ALIAS_IS_UNKNOWN) + state_is_alias(state) + state_is_live_alias(state);
}

/* The alias that counts, see struct recipients. The list gets its live recipients. */
static struct recipients find_alias(const struct mum_answer *answer,
				    struct address_list *list)
{
	struct recipients best = { .state = ALIAS_IS_UNKNOWN };

	for (size_t form = 0; form < answer->address->forms_count && !state_is_live_alias(best.state);
	     form++) {
		struct recipients found =
			judge_form(answer->facts[MUM_DELIVERY], form, list);

		if (rank(found.state) > rank(best.state))
			best = found;
	}
	return best;
}

enum mum_status rule_recipients(const struct mum_answer *answer, struct arena *arena,
				struct recipients *recipients_r)
{
	struct address_list list = { 0, 0, NULL };
	const struct address_form *form;

	if (answer->status != MUM_FOUND)
		return answer->status;
	*recipients_r = find_alias(answer, &list);
	if (!state_is_live_alias(recipients_r->state))
		return MUM_NOT_FOUND;
	form = &answer->address->forms[recipients_r->alias->form];
	recipients_r->extension = answer->drops_extension ? "" : form->extension;
	recipients_r->addresses = address_list_finish(&list, arena, &recipients_r->count);
	return MUM_FOUND;
}

/* A role or a catch-all exists only if it takes mail. */
static bool exists(const struct mum_answer *answer, const struct recipients *found)
{
	return state_is_live_alias(found->state) ||
	       (state_is_alias(found->state) &&
		kind_of(answer, found->alias->form) == FORM_IS_NAME);
}

enum mum_status rule_recipient(const struct mum_answer *answer,
			       struct recipient_ruling *ruling_r)
{
	const struct delivery_row *mailbox;
	struct recipients found;
	enum mailbox_state state;

	if (answer->status != MUM_FOUND)
		return answer->status;
	found = find_alias(answer, NULL);
	state = rule_mailbox_state(answer, &mailbox);
	if (!state_is_live_alias(found.state) && state_is_active(state))
		*ruling_r = (struct recipient_ruling){
			state == MAILBOX_IS_LIVE ? RECIPIENT_ACCEPTED : RECIPIENT_SEND_ONLY,
			NULL, mailbox };
	else if (exists(answer, &found))
		*ruling_r = (struct recipient_ruling){
			found.state == ALIAS_IS_DEAD ? RECIPIENT_DEAD_ALIAS
						     : RECIPIENT_ACCEPTED,
			found.alias, NULL };
	else
		*ruling_r = (struct recipient_ruling){ RECIPIENT_UNKNOWN, NULL, NULL };
	return MUM_FOUND;
}

/* ---- senders ---- */

/* A catch-all's senders own what MUM does not know. */
static bool may_own(const struct mum_answer *answer, const struct owner_row *row)
{
	if (state_of_owner(row) != OWNER_IS_LIVE)
		return false;
	if (kind_of(answer, row->form) != FORM_IS_CATCH_ALL)
		return true;
	return answer->catch_all_senders && row->id != 0 && !is_known(answer);
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

			if (row->form == form && may_own(answer, row))
				address_list_add(&list, row->login, true);
		}
		if (list.count > 0) {
			owners_r->form = form;
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
	struct owners owners = { .count = 0 };
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
