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
	struct domain_entry **entries;	/* by address */
	size_t entries_count, aliases_count;
	const struct user_row **users;	/* by address */
	struct asked *asked;		/* the answers about entries that need the database */
	size_t asked_count;
	struct asked *roles;		/* the answers about mail to each of address.roles */
	size_t roles_count;
};

/* ---- what stands behind recipients ---- */

/* Another domain that recipients are in. Is it MUM's? */
struct other {
	UT_hash_handle hh;
	bool ours;
	char key[];		/* a domain */
};

struct others {
	struct keyed_hash hash;
	struct other *domains;
};

static struct other *other_of(struct others *others, const char *domain)
{
	struct other *other;

	KEYED_FIND(others->domains, &others->hash, domain, strlen(domain), other);
	if (other == NULL)
		KEYED_ADD(others->domains, &others->hash, domain, strlen(domain), other, key);
	return other;
}

static void free_others(struct others *others)
{
	struct other *other, *next;

	KEYED_FREE(others->domains, other, next);
}

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

/* known: after ask_others(). Before, it only collects others. */
static void complete(const struct domain_names *names, struct domain_entry *entry,
		     struct others *others, bool known)
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
		if (at != NULL && address_is_domain(names->rows.address, at + 1)) {
			if (known && names->rows.active)
				set_behind(names, entry, row, name);
		} else if (row->recipient_local) {
			entry->ask = true;
		} else {
			entry->ask |= other_of(others, at != NULL ? at + 1 : "")->ours;
		}
		free(name);
	}
}

/* Asks which of the others, which the first turn has collected, are MUM's. */
static bool ask_others(struct tool *tool, struct others *others, struct inspect_error *error_r)
{
	size_t count = HASH_COUNT(others->domains), i = 0;
	char **keys = xcalloc(count, sizeof(*keys));
	struct asked *asked = xcalloc(count, sizeof(*asked));
	struct other *other;
	const char *name;
	bool good;

	for (other = others->domains; other != NULL; other = other->hh.next)
		keys[i++] = other->key;
	good = ask_all(tool, MUM_DOMAIN, keys, count, asked, error_r);
	for (i = 0, other = others->domains; i < count; i++, other = other->hh.next) {
		other->ours = rule_domain(&asked[i].answer, &name) == MUM_FOUND;
		asked_free(&asked[i]);
	}
	free(asked);
	free(keys);
	return good;
}

static bool complete_all(struct domain_names *names, struct inspect_error *error_r)
{
	struct others others = { .domains = NULL };
	struct domain_entry *entry;
	bool good;

	keyed_hash_init(&others.hash);
	for (entry = names->rows.entries; entry != NULL; entry = entry->hh.next)
		complete(names, entry, &others, false);
	good = ask_others(names->tool, &others, error_r);
	for (entry = names->rows.entries; entry != NULL && good; entry = entry->hh.next)
		complete(names, entry, &others, true);
	free_others(&others);
	return good;
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
	char **keys = xcalloc(names->entries_count, sizeof(*keys));
	size_t count = 0, at = 0;
	bool good;

	for (size_t i = 0; i < names->entries_count; i++) {
		if (names->entries[i]->ask || names->entries[i]->several)
			keys[count++] = key_of(names, names->entries[i]);
	}
	names->asked = xcalloc(count, sizeof(*names->asked));
	names->asked_count = count;
	good = ask_all(names->tool, MUM_DELIVERY, keys, count, names->asked, error_r);
	for (size_t i = 0; i < names->entries_count; i++) {
		if (names->entries[i]->ask || names->entries[i]->several)
			names->entries[i]->asked = &names->asked[at++];
	}
	for (size_t i = 0; i < count; i++)
		free(keys[i]);
	free(keys);
	return good;
}

static bool ask_roles(struct domain_names *names, const char *domain,
		      struct inspect_error *error_r)
{
	const struct fallback_settings *fallbacks = &names->settings.fallbacks;
	char **keys = xcalloc(fallbacks->roles_count, sizeof(*keys));
	bool good;

	names->roles = xcalloc(fallbacks->roles_count, sizeof(*names->roles));
	names->roles_count = fallbacks->roles_count;
	for (size_t i = 0; i < names->roles_count; i++) {
		char *name = xjoin(fallbacks->roles[i], "@", domain);

		keys[i] = ask_name(name, "");
		free(name);
	}
	good = ask_all(names->tool, MUM_DELIVERY, keys, names->roles_count, names->roles,
		       error_r);
	for (size_t i = 0; i < names->roles_count; i++)
		free(keys[i]);
	free(keys);
	return good;
}

static int compare_entries(const void *one, const void *other)
{
	return strcmp((*(struct domain_entry *const *)one)->stored,
		      (*(struct domain_entry *const *)other)->stored);
}

static int compare_users(const void *_one, const void *_other)
{
	const char *one = (*(const struct user_row *const *)_one)->mailbox.address;
	const char *other = (*(const struct user_row *const *)_other)->mailbox.address;

	return strcmp(one != NULL ? one : "", other != NULL ? other : "");
}

static void sort(struct domain_names *names)
{
	const struct facts *users = names->rows.users;
	struct domain_entry *entry;

	names->entries = xcalloc(HASH_COUNT(names->rows.entries), sizeof(*names->entries));
	for (entry = names->rows.entries; entry != NULL; entry = entry->hh.next) {
		names->entries[names->entries_count++] = entry;
		names->aliases_count += entry->alias != NULL;
	}
	names->users = xcalloc(users->count, sizeof(*names->users));
	for (size_t i = 0; i < users->count; i++)
		names->users[i] = &users->users[i];
	qsort(names->entries, names->entries_count, sizeof(*names->entries), compare_entries);
	qsort(names->users, users->count, sizeof(*names->users), compare_users);
}

struct domain_names *domain_names_read(struct tool *tool, const char *const *domains,
				       size_t count, struct inspect_error *error_r)
{
	const struct mum_config *config = tool_config(tool, MUM_ROLE_POSTFIX);
	struct domain_names *names = xcalloc(1, sizeof(*names));
	bool good;

	names->tool = tool;
	names->config = config;
	names->settings = (struct recipients_settings){
		.readings = mum_config_readings(config),
		.other_maps = config->address.other_maps,
		.fallbacks = mum_config_fallbacks(config)
	};
	good = domain_rows_read(tool, domains, count, &names->rows, error_r) &&
	       complete_all(names, error_r);
	if (good)
		sort(names);
	if (!good || !ask_entries(names, error_r) || !ask_roles(names, domains[0], error_r))
		domain_names_free(&names);
	return names;
}

void domain_names_free(struct domain_names **_names)
{
	struct domain_names *names = *_names;

	*_names = NULL;
	if (names == NULL)
		return;
	for (size_t i = 0; i < names->asked_count; i++)
		asked_free(&names->asked[i]);
	for (size_t i = 0; i < names->roles_count; i++)
		asked_free(&names->roles[i]);
	free(names->asked);
	free(names->roles);
	free(names->entries);
	free(names->users);
	domain_rows_clear(&names->rows);
	free(names);
}

size_t domain_names_mailboxes(const struct domain_names *names)
{
	return names->rows.users->count;
}

size_t domain_names_aliases(const struct domain_names *names)
{
	return names->aliases_count;
}

/* ---- mailboxes ---- */

void domain_names_each_mailbox(const struct domain_names *names, domain_mailbox_fn *fn, void *arg)
{
	for (size_t i = 0; i < names->rows.users->count; i++) {
		struct user_row row = *names->users[i];
		struct facts one = { .kind = MUM_USER, .count = 1, .users = &row };
		struct mum_answer answer = { .status = MUM_FOUND };
		struct domain_mailbox mailbox = { .address = row.mailbox.address };
		struct user user = { .quota_gb = 0 };

		answer.facts[MUM_USER] = &one;
		mailbox.state = state_of_login(&row.mailbox);
		mailbox.status = rule_user(&answer, &user, &mailbox.why);
		mailbox.quota_gb = user.quota_gb;
		mailbox.quota_source = user.quota_source;
		fn(&mailbox, arg);
	}
}

/* ---- names ---- */

/* Why nobody gets mail to the name; NULL if somebody does. Caller frees. */
static char *refusal_of(const struct domain_names *names, const struct domain_entry *entry,
			const struct asked *asked, const struct recipients *found)
{
	struct recipient_ruling ruling = { .verdict = RECIPIENT_UNKNOWN };
	bool mailbox = entry->user != DOMAIN_ROWS_NONE;
	char *of_alias, *of_mailbox, *both;

	if (rule_recipient(&asked->answer, &ruling) != MUM_FOUND)
		return xstrdup("no mail can have this name");
	/* An alias without recipients is known, and no table of Postfix has it. */
	if (ruling.verdict == RECIPIENT_ACCEPTED && found->state != ALIAS_IS_EMPTY)
		return NULL;
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
	char *refusal = refusal_of(names, entry, asked, &found);
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

	if (entry->user != DOMAIN_ROWS_NONE) {
		const struct mailbox_row *mailbox = &names->rows.users->users[entry->user].mailbox;

		row.domain_active = mailbox->domain_active;
		row.mailbox = mailbox->address;
		row.mailbox_active = mailbox->active;
		row.mailbox_send_only = mailbox->send_only;
	}
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

/* Does the role get the mail? Else somebody else does, or nobody. */
static bool is_taken(const struct asked *asked, struct arena *arena, struct recipients *found_r)
{
	return rule_recipients(&asked->answer, arena, found_r) == MUM_FOUND &&
	       kind_of(asked, found_r) == FORM_IS_ROLE;
}

void domain_names_each_role(const struct domain_names *names, domain_name_fn *fn, void *arg)
{
	for (size_t i = 0; i < names->roles_count; i++) {
		struct arena arena = { NULL };
		struct recipients found;

		if (is_taken(&names->roles[i], &arena, &found)) {
			const struct domain_name name = {
				.kind = FORM_IS_ROLE, .alias = found.alias->alias,
				.address = found.alias->alias,
				.recipients_count = found.count, .recipients = found.addresses,
			};

			fn(&name, arg);
		}
		arena_free(&arena);
	}
}

static void count_role(const struct domain_name *name, void *arg)
{
	(void)name;
	++*(size_t *)arg;
}

size_t domain_names_roles(const struct domain_names *names)
{
	size_t count = 0;

	domain_names_each_role(names, count_role, &count);
	return count;
}
