/* SPDX-License-Identifier: MIT */
#include "mumctl/check/names.h"

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/columns.h"
#include "common/keyed-hash.h"
#include "common/recipients.h"
#include "common/rules.h"
#include "common/xalloc.h"
#include "mumctl/check/check.h"

struct name {
	UT_hash_handle hh;
	bool alias, alias_live, alias_dead;
	bool mailbox, mailbox_active, mailbox_send_only;
	char key[];		/* folded address */
};

struct domain {
	UT_hash_handle hh;
	bool active, used;
	char *stored;
	char key[];		/* folded */
};

struct names {
	struct keyed_hash hash;
	struct name *names;
	struct domain *domains;
};

/* ---- reading ---- */

static struct domain *find_domain(const struct names *names, const char *key)
{
	struct domain *domain;

	KEYED_FIND(names->domains, &names->hash, key, strlen(key), domain);
	return domain;
}

static struct name *find_name(const struct names *names, const char *key)
{
	struct name *name;

	KEYED_FIND(names->names, &names->hash, key, strlen(key), name);
	return name;
}

enum { READ_DOMAIN, READ_DOMAIN_ACTIVE };

static void on_domain(const struct column *columns, void *arg)
{
	struct names *names = arg;
	const char *stored = columns[READ_DOMAIN].data;
	struct domain *domain;
	char *key;

	if (stored == NULL)
		return;
	key = address_fold_domain(stored, columns[READ_DOMAIN].len);
	domain = find_domain(names, key);
	if (domain == NULL) {
		KEYED_ADD(names->domains, &names->hash, key, strlen(key), domain, key);
		domain->stored = xstrdup(stored);
	}
	/* MUM may have two spellings, see state_of_domain(). */
	domain->active |= column_is_true(&columns[READ_DOMAIN_ACTIVE]);
	free(key);
}

/* Finds or makes the entry of a stored name. NULL when no mail can have this name. */
static struct name *name_of(struct names *names, const struct column *local,
			    const struct column *stored)
{
	char *text = xasprintf("%s@%s", local->data, stored->data);
	struct address *address = local->len > 0
					  ? address_new(ADDRESS_LOGIN, text, strlen(text), "")
					  : address_new_catch_all(stored->data);
	char *key = address != NULL ? address_form_text(address, 0) : NULL;
	struct name *name = key != NULL ? find_name(names, key) : NULL;
	struct domain *domain;

	free(text);
	if (key != NULL && name == NULL) {
		KEYED_ADD(names->names, &names->hash, key, strlen(key), name, key);
		domain = find_domain(names, address->domain);
		if (domain != NULL)
			domain->used = true;
	}
	free(key);
	address_unref(&address);
	return name;
}

enum { READ_LOCAL, READ_IN_DOMAIN, READ_ACTIVE, READ_FLAG };

static void on_mailbox(const struct column *columns, void *arg)
{
	struct name *name = name_of(arg, &columns[READ_LOCAL], &columns[READ_IN_DOMAIN]);

	if (name == NULL || columns[READ_LOCAL].len == 0)
		return;
	name->mailbox = true;
	name->mailbox_active = column_is_true(&columns[READ_ACTIVE]);
	name->mailbox_send_only = column_is_true(&columns[READ_FLAG]);
}

/* The flag: the alias is not expired and has recipients. */
static void on_alias(const struct column *columns, void *arg)
{
	struct name *name = name_of(arg, &columns[READ_LOCAL], &columns[READ_IN_DOMAIN]);

	if (name == NULL)
		return;
	name->alias = true;
	name->alias_live = column_is_true(&columns[READ_ACTIVE]) && column_is_true(&columns[READ_FLAG]);
}

struct names *names_load(const struct check *check)
{
	struct names *names = xcalloc(1, sizeof(*names));
	char *now = tool_now(check->config);
	char *aliases = xasprintf(
		"SELECT a.local_part, d.domain, a.active,"
		" COALESCE(a.deactivate_at >= '%s', 1) AND " HAS_RECIPIENTS_SQL
		" FROM aliases a JOIN domains d ON d.id = a.domain_id WHERE d.active = 1", now);

	keyed_hash_init(&names->hash);
	if (!check_query(check, "SELECT domain, active FROM domains", on_domain, names) ||
	    !check_query(check,
			 "SELECT m.local_part, d.domain, m.active, m.send_only"
			 " FROM mailboxes m JOIN domains d ON d.id = m.domain_id"
			 " WHERE d.active = 1", on_mailbox, names) ||
	    !check_query(check, aliases, on_alias, names))
		names_free(&names);
	free(aliases);
	free(now);
	return names;
}

void names_free(struct names **_names)
{
	struct names *names = *_names;
	struct name *name, *next;
	struct domain *domain, *following;

	*_names = NULL;
	if (names == NULL)
		return;
	KEYED_FREE(names->names, name, next);
	KEYED_FREE_WITH(names->domains, domain, following, stored);
	free(names);
}

/* ---- dead aliases ---- */

void names_mark_dead(struct names *names, const struct address *alias)
{
	char *key = address_form_text(alias, 0);
	struct name *name = find_name(names, key);

	if (name != NULL)
		name->alias_dead = true;
	free(key);
}

void names_forget_dead(struct names *names)
{
	for (struct name *name = names->names; name != NULL; name = name->hh.next) {
		if (name->alias_dead)
			name->alias_live = false;
	}
}

/* ---- asking ---- */

enum domain_state names_domain(const struct names *names, const struct address *address)
{
	const struct domain *domain = find_domain(names, address->domain);

	if (domain == NULL)
		return DOMAIN_IS_FOREIGN;
	return domain->active ? DOMAIN_IS_OURS : DOMAIN_IS_INACTIVE;
}

static void put_name(const struct address *address, struct name_row *row, void *names)
{
	char *key = address_form_text(address, row->form);
	const struct name *name = find_name(names, key);

	free(key);
	if (name == NULL)
		return;
	row->mailbox = name->mailbox;
	row->mailbox_active = name->mailbox_active;
	row->mailbox_send_only = name->mailbox_send_only;
	row->alias = name->alias;
	row->alias_active = row->alias_has_recipients = name->alias_live;
}

struct facts *names_facts(const struct names *names, const struct address *address)
{
	const struct domain *domain = find_domain(names, address->domain);

	return domain != NULL ? recipient_name_facts(address, domain->active, put_name,
						     (void *)names)
			      : facts_new(MUM_NAME);
}

void names_complete(const struct names *names, const struct mum_config *config,
		    const struct address *of, struct facts *facts)
{
	const struct recipients_settings settings = recipients_settings_of(config);

	for (size_t i = 0; i < facts->count; i++) {
		struct delivery_row *row = &facts->deliveries[i];
		struct mum_answer answer = { .status = MUM_FOUND };
		struct address *address;
		char *name;

		if (!state_needs_behind(row))
			continue;
		name = recipient_name(row, &settings);
		address = address_new(ADDRESS_MAIL, name, strlen(name),
				      config->address.recipient_delimiter);
		free(name);
		if (address != NULL)
			address_add_fallbacks(address, &settings.fallbacks);
		if (address == NULL || names_domain(names, address) != DOMAIN_IS_OURS) {
			address_unref(&address);
			continue;
		}
		answer.address = address;
		answer.facts[MUM_NAME] = names_facts(names, address);
		recipient_set_behind(row, &answer, of->forms[row->form].kind, &settings);
		facts_unref(&answer.facts[MUM_NAME]);
		address_unref(&address);
	}
}

void names_each_domain(const struct names *names, names_domain_fn *fn, void *arg)
{
	for (const struct domain *domain = names->domains; domain != NULL;
	     domain = domain->hh.next) {
		if (domain->active && domain->used)
			fn(domain->stored, arg);
	}
}
