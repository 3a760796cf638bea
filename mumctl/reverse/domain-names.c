/* SPDX-License-Identifier: MIT */
#include "mumctl/reverse/domain-names.h"

#include <stdlib.h>
#include <string.h>

#include "common/recipients.h"
#include "common/rules.h"
#include "common/xalloc.h"
#include "mumctl/reasons.h"
#include "mumctl/reverse/ask.h"
#include "mumctl/reverse/domain-rows.h"
#include "mumctl/reverse/unknown-names.h"

struct domain_names {
	struct tool *tool;
	const struct mum_config *config;	/* of role Postfix */
	struct recipients_settings settings;
	struct domain_rows rows;
	struct domain_entry **entries;	/* by address; those of which something may be said */
	size_t entries_count, aliases_count;
	struct domain_mailbox *mailboxes;	/* by address */
	struct questions asked;		/* about entries that need the database */
	struct questions roles;		/* about mail to each of address.roles */
};

/* ---- what stands behind recipients ---- */

/* Is one of the names that count there twice? */
struct several {
	const struct domain_rows *rows;
	bool is;
};

static void put_name(const struct address *address, struct name_row *row, void *arg)
{
	struct several *several = arg;
	const struct domain_rows *rows = several->rows;
	const struct domain_entry *entry = domain_rows_find_form(rows, address, row->form);

	if (entry == NULL || !entry->usable)
		return;
	several->is |= entry->several;
	if (entry->user != DOMAIN_ROWS_NONE) {
		row->mailbox = true;
		row->mailbox_active = rows->users->users[entry->user].mailbox.active;
		row->mailbox_send_only = rows->users->users[entry->user].mailbox.send_only;
	}
	if (entry->count == 0)
		return;
	row->alias = true;
	row->alias_active = rows->deliveries->deliveries[entry->first].alias_active;
	row->alias_expired = rows->deliveries->deliveries[entry->first].alias_expired;
	row->alias_has_recipients = entry->has_recipients;
}

/* name: in this domain. */
static void set_behind(const struct domain_names *names, struct domain_entry *entry,
		       struct delivery_row *row, const char *name)
{
	struct address *address = address_new(ADDRESS_MAIL, name, strlen(name),
					      names->config->address.recipient_delimiter);
	struct mum_answer answer = { .status = MUM_FOUND, .address = address };
	struct several several = { &names->rows, entry->ask };

	if (address == NULL)
		return;
	address_add_fallbacks(address, &names->settings.fallbacks);
	answer.facts[MUM_NAME] = recipient_name_facts(address, names->rows.active, put_name,
						      &several);
	entry->ask = several.is;
	recipient_set_behind(row, &answer, FORM_IS_NAME, &names->settings);
	facts_unref(&answer.facts[MUM_NAME]);
	address_unref(&address);
}

static void complete(const struct domain_names *names, struct domain_entry *entry,
		     const struct unknown_names *domains)
{
	for (size_t i = 0; i < entry->count; i++) {
		struct delivery_row *row =
			&names->rows.deliveries->deliveries[entry->first + i];
		char *name;
		const char *at;

		if (!state_needs_behind(row))
			continue;
		name = recipient_name(row, &names->settings);
		at = strrchr(name, '@');
		if (at == NULL || !address_is_domain(names->rows.address, at + 1))
			entry->ask |= row->recipient_local ||
				      unknown_names_is_ours(domains, at != NULL ? at + 1 : "");
		else if (names->rows.active)
			set_behind(names, entry, row, name);
		free(name);
	}
}

static bool complete_all(struct domain_names *names, struct inspect *db,
			 struct inspect_error *error_r)
{
	struct unknown_names *domains = unknown_names_new(db, names->config, error_r);

	if (domains == NULL)
		return false;
	for (struct domain_entry *entry = names->rows.entries; entry != NULL;
	     entry = entry->hh.next)
		complete(names, entry, domains);
	unknown_names_free(&domains);
	return true;
}

/* ---- all of them ---- */

static bool is_known(const char *name, void *arg)
{
	const struct domain_names *names = arg;

	return domain_rows_find(&names->rows, name) != NULL;
}

/* What mail to the entry is sent to. Caller frees. */
static char *key_of(struct domain_names *names, const struct domain_entry *entry)
{
	return entry->catch_all
		? unknown_name_pick(entry->stored + 1, names->config, is_known, names)
		: ask_name(entry->stored, "");
}

/* Asks about names that other names have a say in, as mail to them does. */
static bool ask_entries(struct domain_names *names, struct inspect_error *error_r)
{
	size_t at = 0;
	bool good;

	for (size_t i = 0; i < names->entries_count; i++) {
		if (names->entries[i]->ask || names->entries[i]->several)
			questions_add(&names->asked, key_of(names, names->entries[i]));
	}
	good = questions_ask(names->tool, MUM_DELIVERY, &names->asked, error_r);
	for (size_t i = 0; i < names->entries_count; i++) {
		if (names->entries[i]->ask || names->entries[i]->several)
			names->entries[i]->asked = &names->asked.answers[at++];
	}
	return good;
}

static bool ask_roles(struct domain_names *names, const char *domain,
		      struct inspect_error *error_r)
{
	const struct fallback_settings *fallbacks = &names->settings.fallbacks;

	for (size_t i = 0; i < fallbacks->roles_count; i++) {
		char *name = xjoin(fallbacks->roles[i], "@", domain);

		questions_add(&names->roles, ask_name(name, ""));
		free(name);
	}
	return questions_ask(names->tool, MUM_DELIVERY, &names->roles, error_r);
}

static int compare_entries(const void *one, const void *other)
{
	return strcmp((*(struct domain_entry *const *)one)->stored,
		      (*(struct domain_entry *const *)other)->stored);
}

static int compare_mailboxes(const void *one, const void *other)
{
	return strcmp(((const struct domain_mailbox *)one)->address,
		      ((const struct domain_mailbox *)other)->address);
}

/* Mail to a live mailbox without an alias arrives: nothing is to be said of its name. */
static bool is_plain(const struct domain_names *names, const struct domain_entry *entry)
{
	return entry->alias == NULL && !entry->ask && !entry->several &&
	       entry->user != DOMAIN_ROWS_NONE &&
	       state_of_login(&names->rows.users->users[entry->user].mailbox) == MAILBOX_IS_LIVE;
}

static void sort_entries(struct domain_names *names)
{
	struct domain_entry *entry;

	names->entries = xcalloc(HASH_COUNT(names->rows.entries), sizeof(*names->entries));
	for (entry = names->rows.entries; entry != NULL; entry = entry->hh.next) {
		names->aliases_count += entry->alias != NULL;
		if (!is_plain(names, entry))
			names->entries[names->entries_count++] = entry;
	}
	qsort(names->entries, names->entries_count, sizeof(*names->entries), compare_entries);
}

static struct domain_mailbox judge_mailbox(struct user_row *row)
{
	struct facts one = { .kind = MUM_USER, .count = 1, .users = row };
	struct mum_answer answer = { .status = MUM_FOUND, .facts = { [MUM_USER] = &one } };
	struct domain_mailbox mailbox = { .address = row->mailbox.address,
					  .state = state_of_login(&row->mailbox) };
	struct user user = { .quota_gb = 0 };

	mailbox.status = rule_user(&answer, &user, &mailbox.why);
	mailbox.quota_gb = user.quota_gb;
	mailbox.quota_source = user.quota_source;
	return mailbox;
}

static void sort_mailboxes(struct domain_names *names)
{
	const struct facts *users = names->rows.users;

	names->mailboxes = xcalloc(users->count, sizeof(*names->mailboxes));
	for (size_t i = 0; i < users->count; i++)
		names->mailboxes[i] = judge_mailbox(&users->users[i]);
	qsort(names->mailboxes, users->count, sizeof(*names->mailboxes), compare_mailboxes);
}

struct domain_names *domain_names_read(struct tool *tool, const struct facts *domains,
				       struct inspect_error *error_r)
{
	const struct mum_config *config = tool_config(tool, MUM_ROLE_POSTFIX);
	struct inspect *db = ask_open(tool, MUM_ROLE_POSTFIX, error_r);
	struct domain_names *names;
	bool good;

	if (db == NULL)
		return NULL;
	names = xcalloc(1, sizeof(*names));
	names->tool = tool;
	names->config = config;
	names->settings = recipients_settings_of(config);
	good = domain_rows_read(tool, db, domains, &names->rows, error_r) &&
	       complete_all(names, db, error_r);
	inspect_close(&db);
	if (good) {
		sort_entries(names);
		sort_mailboxes(names);
	}
	if (!good || !ask_entries(names, error_r) ||
	    !ask_roles(names, domains->domains[0].name, error_r))
		domain_names_free(&names);
	return names;
}

void domain_names_free(struct domain_names **_names)
{
	struct domain_names *names = *_names;

	*_names = NULL;
	if (names == NULL)
		return;
	questions_free(&names->asked);
	questions_free(&names->roles);
	free(names->entries);
	free(names->mailboxes);
	domain_rows_clear(&names->rows);
	free(names);
}

const struct domain_mailbox *domain_names_mailboxes(const struct domain_names *names,
						    size_t *count_r)
{
	*count_r = names->rows.users->count;
	return names->mailboxes;
}

size_t domain_names_aliases(const struct domain_names *names)
{
	return names->aliases_count;
}

/* ---- names ---- */

/* Why nobody gets mail to a name without a live alias; NULL if its mailbox does. Caller frees. */
static char *refusal_of(const struct domain_names *names, const struct domain_entry *entry,
			const struct asked *asked)
{
	struct recipient_ruling ruling = { .verdict = RECIPIENT_UNKNOWN };
	bool mailbox = entry->user != DOMAIN_ROWS_NONE;
	char *of_alias, *of_mailbox, *both;

	if (rule_recipient(&asked->answer, &ruling) != MUM_FOUND)
		return xstrdup("no mail can have this name");
	/* An alias without recipients is known, and no table of Postfix has it. */
	if (ruling.verdict == RECIPIENT_ACCEPTED && ruling.mailbox != NULL)
		return NULL;
	of_alias = reason_of_map(SOCKETMAP_ALIASES, asked);
	of_mailbox = reason_of_map(SOCKETMAP_MAILBOXES, asked);
	if (entry->alias == NULL || !mailbox)
		both = xstrdup(mailbox ? of_mailbox : of_alias);
	else
		both = xasprintf("%s; %s", of_mailbox, of_alias);
	free(of_alias);
	free(of_mailbox);
	return reason_with_mode(both, "policy.recipient", names->config->policy.recipient,
				ruling.verdict != RECIPIENT_SEND_ONLY);
}

/* Of the alias's form. */
static enum address_form_kind kind_of(const struct asked *asked, const struct recipients *found)
{
	return asked->answer.address->forms[found->alias->form].kind;
}

static void give(const struct domain_names *names, const struct domain_entry *entry,
		 const struct asked *asked, domain_name_fn *fn, void *arg)
{
	struct arena arena = { NULL };
	struct recipients found = { .count = 0 };
	enum mum_status status = rule_recipients(&asked->answer, &arena, &found);
	char *refusal = status == MUM_FOUND ? NULL : refusal_of(names, entry, asked);
	/* What a role takes is not the name's. */
	const bool own = status == MUM_FOUND && kind_of(asked, &found) != FORM_IS_ROLE;
	const struct domain_name name = {
		.kind = entry->catch_all ? FORM_IS_CATCH_ALL : FORM_IS_NAME,
		.alias = entry->alias, .expires = entry->expires, .address = entry->stored,
		.expired = entry->expired,
		.recipients_count = own ? found.count : 0,
		.recipients = found.addresses, .refused = refusal,
	};

	fn(&name, arg);
	free(refusal);
	arena_free(&arena);
}

/* No other name has a say in it, so all is in memory. */
static void give_known(const struct domain_names *names, const struct domain_entry *entry,
		       domain_name_fn *fn, void *arg)
{
	struct delivery_row row = { .domain_active = names->rows.active };
	struct facts one = { .kind = MUM_DELIVERY, .count = 1, .deliveries = &row };
	struct asked asked = { .answer = { .status = MUM_NOT_FOUND } };
	struct facts *less;

	domain_rows_put_mailbox(&names->rows, entry, &row);
	if (entry->user != DOMAIN_ROWS_NONE)
		row.domain_active =
			names->rows.users->users[entry->user].mailbox.domain_active;
	if (entry->count > 0)
		one = (struct facts){
			.kind = MUM_DELIVERY, .count = entry->count,
			.deliveries = &names->rows.deliveries->deliveries[entry->first],
		};
	/* The rules read only the number of forms and the extension of the address. */
	if (entry->usable)
		asked.answer = (struct mum_answer){ .status = MUM_FOUND,
						    .address = names->rows.address };
	facts_complete(&one);
	asked.answer.facts[MUM_DELIVERY] = &one;
	less = entry->usable ? recipients_without_excess(&one, names->rows.address) : NULL;
	if (less != NULL)
		asked.answer.facts[MUM_DELIVERY] = less;
	give(names, entry, &asked, fn, arg);
	facts_unref(&less);
}

void domain_names_each(const struct domain_names *names, domain_name_fn *fn, void *arg)
{
	for (size_t i = 0; i < names->entries_count; i++) {
		const struct domain_entry *entry = names->entries[i];

		if (entry->asked != NULL)
			give(names, entry, entry->asked, fn, arg);
		else
			give_known(names, entry, fn, arg);
	}
}

/* ---- roles ---- */

size_t domain_names_each_role(const struct domain_names *names, domain_name_fn *fn, void *arg)
{
	size_t count = 0;

	for (size_t i = 0; i < names->roles.count; i++) {
		const struct asked *asked = &names->roles.answers[i];
		struct arena arena = { NULL };
		struct recipients found;

		/* Else somebody else gets the mail, or nobody. */
		if (rule_recipients(&asked->answer, &arena, &found) == MUM_FOUND &&
		    kind_of(asked, &found) == FORM_IS_ROLE) {
			const struct domain_name name = {
				.kind = FORM_IS_ROLE, .alias = found.alias->alias,
				.address = found.alias->alias,
				.recipients_count = found.count, .recipients = found.addresses,
			};

			count++;
			if (fn != NULL)
				fn(&name, arg);
		}
		arena_free(&arena);
	}
	return count;
}
