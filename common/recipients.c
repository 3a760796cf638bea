/* SPDX-License-Identifier: MIT */
#include "common/recipients.h"

#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/rules.h"
#include "common/text.h"
#include "common/xalloc.h"

enum {
	/* ms. Longer than anybody waits: the walk is cancelled when nobody does any more. */
	QUESTION_DEADLINE = 600000,
	/* Bytes of the shortest one: a@b and a comma. */
	ONE_MIN = 4,
	/* Bytes of the longest address and a comma: a character has four at most. */
	ONE_MAX = 2 * 4 * ADDRESS_PART_MAX + 2
};

/* One recipient that is asked about: first its domain, then its name. */
struct step {
	struct recipients_walk *walk;
	struct delivery_row *row;
	char *name;		/* as Postfix rewrites the address */
	struct mum_lookup *lookup;	/* borrowed; NULL when none */
};

struct recipients_walk {
	const struct recipients_asker *asker;
	struct facts *facts;		/* a reference */
	const struct address *address;	/* that the facts are about */
	const struct recipients_settings *settings;
	recipients_done_fn *fn;
	void *arg;
	unsigned age_ms;
	size_t count, waiting;		/* steps in all, and with a question */
	struct step steps[];
};

struct recipients_settings recipients_settings_of(const struct mum_config *config)
{
	return (struct recipients_settings){ mum_config_readings(config),
					     config->address.other_maps,
					     mum_config_fallbacks(config) };
}

void recipients_walk_cancel(struct recipients_walk **_walk)
{
	struct recipients_walk *walk = *_walk;

	*_walk = NULL;
	if (walk == NULL)
		return;
	for (size_t i = 0; i < walk->count; i++) {
		walk->asker->cancel(&walk->steps[i].lookup);
		free(walk->steps[i].name);
	}
	facts_unref(&walk->facts);
	free(walk);
}

/* Frees the walk first, and calls last. */
static void finish(struct recipients_walk *walk, enum mum_status status, const char *reason)
{
	recipients_done_fn *fn = walk->fn;
	void *arg = walk->arg;
	unsigned age_ms = walk->age_ms;

	recipients_walk_cancel(&walk);
	fn(status, age_ms, reason, arg);
}

/* False when the answer is of no use: then the walk is gone. */
static bool take_answer(struct step *step, const struct mum_answer *answer)
{
	struct recipients_walk *walk = step->walk;

	step->lookup = NULL;
	walk->waiting--;
	if (answer->status != MUM_FOUND && answer->status != MUM_NOT_FOUND) {
		finish(walk, answer->status, answer->reason);
		return false;
	}
	/* Facts that are put together from stale ones would look fresh. */
	if (answer->stale) {
		finish(walk, MUM_TEMPFAIL, "the database gave no answer about a recipient");
		return false;
	}
	if (answer->age_ms > walk->age_ms)
		walk->age_ms = answer->age_ms;
	return true;
}

/* Is the form of the address the alias? */
static bool is_alias(const struct address *address, size_t form, const char *alias)
{
	const char *at = strrchr(alias, '@');
	char *local = xstrndup(alias, (size_t)(at - alias));
	bool is = address_is_local(&address->forms[form], local) &&
		  address_is_domain(address, at + 1);

	free(local);
	return is;
}

/* Does mail to the address come back to the alias, by its first form that is an alias? */
static bool leads_back(const struct mum_answer *answer, const char *alias)
{
	const struct facts *facts = answer->facts[MUM_NAME];

	for (size_t i = 0; facts != NULL && i < facts->count; i++) {
		const struct name_row *row = &facts->names[i];

		if (answer->address->forms[row->form].kind == FORM_IS_NAME &&
		    state_takes_mail(row))
			return is_alias(answer->address, row->form, alias);
	}
	return false;
}

/* No row is a role's: the statement asks for none. */
struct facts *recipient_name_facts(const struct address *address, bool domain_active,
				   recipient_name_fn *fn, void *arg)
{
	struct facts *facts = facts_new(MUM_NAME);

	facts->names = xcalloc(address->forms_count, sizeof(facts->names[0]));
	for (size_t form = 0; form < address->forms_count; form++) {
		struct name_row *row = &facts->names[facts->count];

		if (address->forms[form].kind == FORM_IS_ROLE)
			continue;
		*row = (struct name_row){ .form = form, .domain_active = domain_active };
		fn(address, row, arg);
		facts->count++;
	}
	return facts;
}

void recipient_set_behind(struct delivery_row *row, const struct mum_answer *answer,
			  enum address_form_kind of,
			  const struct recipients_settings *settings)
{
	rule_behind(answer, of, &row->behind);
	row->behind.elsewhere = settings->other_maps;
	row->behind.alias_itself = leads_back(answer, row->alias);
}

/* The kind of the form of the step's row. */
static enum address_form_kind kind_of(const struct step *step)
{
	return step->walk->address->forms[step->row->form].kind;
}

static void on_name(const struct mum_answer *answer, void *arg)
{
	struct step *step = arg;
	struct recipients_walk *walk = step->walk;

	if (!take_answer(step, answer))
		return;
	recipient_set_behind(step->row, answer, kind_of(step), walk->settings);
	if (walk->waiting == 0)
		finish(walk, MUM_FOUND, NULL);
}

static void ask(struct step *step, enum question_kind kind, const char *key,
		mum_answer_fn *fn)
{
	const struct recipients_asker *asker = step->walk->asker;

	step->walk->waiting++;
	step->lookup = asker->start(asker->lookups, MUM_ASK(kind), key, strlen(key),
				    QUESTION_DEADLINE, fn, step);
}

static void on_domain(const struct mum_answer *answer, void *arg)
{
	struct step *step = arg;
	struct recipients_walk *walk = step->walk;
	const char *domain;

	if (!take_answer(step, answer))
		return;
	if (rule_domain(answer, &domain) == MUM_FOUND)
		ask(step, MUM_NAME, step->name, on_name);
	else if (walk->waiting == 0)
		finish(walk, MUM_FOUND, NULL);
}

const struct delivery_row *recipient_row(const struct facts *facts, const char *recipient)
{
	size_t i = 0;

	while (facts->deliveries[i].stands_for != recipient)
		i++;
	return &facts->deliveries[i];
}

/*
 * Postfix rewrites what an alias hands out before it looks it up. A quoted local part
 * needs no rewriting, as long as there is a domain.
 */
char *recipient_name(const struct delivery_row *row,
		     const struct recipients_settings *settings)
{
	const char *text = row->stands_for;
	struct readings readings;
	char *name;

	if (row->recipient_local || strchr(text, '"') != NULL)
		return xstrdup(text);
	name = readings_make(&readings, text, &settings->readings)
		       ? xstrdup(readings.items[0].text) : xstrdup(text);
	readings_free(&readings);
	return name;
}

static const char *domain_of(const char *name)
{
	const char *at = strrchr(name, '@');

	return at != NULL ? at + 1 : "";
}

static void ask_recipient(struct step *step)
{
	step->name = recipient_name(step->row, step->walk->settings);
	/* A mailbox of MUM's is in a domain of MUM's. */
	if (step->row->recipient_local)
		ask(step, MUM_NAME, step->name, on_name);
	else
		ask(step, MUM_DOMAIN, domain_of(step->name), on_domain);
}

static void on_domain_of_role(const struct mum_answer *answer, void *arg)
{
	struct step *step = arg;
	struct recipients_walk *walk = step->walk;
	const char *domain;

	if (!take_answer(step, answer))
		return;
	step->row->domain_active = rule_domain(answer, &domain) == MUM_FOUND;
	if (step->row->domain_active)
		ask_recipient(step);
	else if (walk->waiting == 0)
		finish(walk, MUM_FOUND, NULL);
}

static void step_start(struct step *step)
{
	if (kind_of(step) == FORM_IS_ROLE)
		ask(step, MUM_DOMAIN, domain_of(step->row->alias), on_domain_of_role);
	else
		ask_recipient(step);
}

/* ---- roles and catch-alls ---- */

/* A catch-all's rows come last. They do not count if MUM knows the name. */
static void drop_catch_all(struct facts *facts, const struct address *address)
{
	bool known = false;

	for (size_t i = 0; i < facts->count; i++) {
		const struct delivery_row *row = &facts->deliveries[i];

		if (address->forms[row->form].kind == FORM_IS_CATCH_ALL) {
			if (known)
				facts->count = i;
			return;
		}
		known = known || row->mailbox != NULL || row->alias != NULL;
	}
}

/*
 * A role is an alias that no table has. Its form comes behind those of aliases, so an
 * alias that takes mail counts before it.
 */
static void add_role(struct facts *facts, const struct address *address, const char *recipient)
{
	struct delivery_row *row;
	size_t form;
	char *name;

	if (!address_is_role(address, &form))
		return;
	for (size_t i = 0; i < facts->count; i++) {
		if (state_of_mailbox(&facts->deliveries[i]) == MAILBOX_IS_LIVE)
			return;
	}
	name = address_form_text(address, form);
	row = facts_new_row(facts);
	*row = (struct delivery_row){
		.form = form,
		.alias = arena_strdup(&facts->arena, name),
		.alias_active = true,
		.recipient = arena_strdup(&facts->arena, recipient),
		.stands_for = arena_strdup(&facts->arena, recipient),
	};
	free(name);
}

/* ---- the walk ---- */

static size_t count_steps(const struct facts *facts)
{
	size_t count = 0;

	/* So many will be left out, whatever is behind them. */
	if (facts->count * ONE_MIN > RECIPIENTS_MAX)
		return 0;
	for (size_t i = 0; i < facts->count; i++)
		count += state_needs_behind(&facts->deliveries[i]);
	return count;
}

struct recipients_walk *recipients_walk_start(const struct recipients_asker *asker,
					      struct facts *facts,
					      const struct address *address,
					      const struct recipients_settings *settings,
					      recipients_done_fn *fn, void *arg)
{
	struct recipients_walk *walk;
	size_t count;

	drop_catch_all(facts, address);
	add_role(facts, address, settings->fallbacks.role_recipient);
	count = count_steps(facts);
	if (count == 0)
		return NULL;
	walk = xcalloc(1, sizeof(*walk) + count * sizeof(walk->steps[0]));
	walk->asker = asker;
	walk->facts = facts_ref(facts);
	walk->address = address;
	walk->settings = settings;
	walk->fn = fn;
	walk->arg = arg;
	for (size_t i = 0; i < facts->count; i++) {
		struct delivery_row *row = &facts->deliveries[i];

		if (!state_needs_behind(row))
			continue;
		walk->steps[walk->count] = (struct step){ .walk = walk, .row = row };
		step_start(&walk->steps[walk->count++]);
	}
	return walk;
}

/* ---- more than a mail server takes ---- */

/* At least this many bytes; a non-ASCII name may become shorter when it is encoded. */
static size_t list_len(const struct recipients *recipients)
{
	size_t len = 0;

	for (size_t i = 0; i < recipients->count; i++) {
		size_t one = strlen(recipients->addresses[i]);

		len += text_is_ascii(recipients->addresses[i], one) ? one + 1 : ONE_MIN;
	}
	return len;
}

/* One row of a form, with its alias only if that has too many recipients. */
static void copy_form(struct facts *less, const struct delivery_row *from,
		      const struct recipients *too_many)
{
	struct delivery_row *row = &less->deliveries[less->count++];

	*row = (struct delivery_row){
		.form = from->form,
		.domain_active = from->domain_active,
		.mailbox = arena_strdup(&less->arena, from->mailbox),
		.mailbox_active = from->mailbox_active,
		.mailbox_send_only = from->mailbox_send_only,
	};
	if (from->form != too_many->alias->form)
		return;
	row->alias = arena_strdup(&less->arena, from->alias);
	row->alias_active = from->alias_active;
	row->alias_expired = from->alias_expired;
	row->left_out = too_many->count;
}

struct facts *recipients_without_excess(struct facts *facts, const struct address *address)
{
	struct arena arena = { NULL };
	struct recipients recipients = { 0 };
	struct mum_answer answer = { .status = MUM_FOUND, .address = address };
	struct facts *less = NULL;

	if (facts->count * ONE_MAX <= RECIPIENTS_MAX)
		return NULL;
	answer.facts[MUM_DELIVERY] = facts;
	if (rule_recipients(&answer, &arena, &recipients) == MUM_FOUND &&
	    list_len(&recipients) > RECIPIENTS_MAX) {
		less = facts_new(MUM_DELIVERY);
		less->deliveries = xcalloc(ADDRESS_FORMS_MAX, sizeof(less->deliveries[0]));
		for (size_t i = 0; i < facts->count; i++) {
			const struct delivery_row *row = &facts->deliveries[i];

			if (i == 0 || row->form != facts->deliveries[i - 1].form)
				copy_form(less, row, &recipients);
		}
	}
	arena_free(&arena);
	return less;
}
