/* SPDX-License-Identifier: MIT */
#include "mumctl/reverse/domain-rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/address-extension.h"
#include "common/address-fallback.h"
#include "common/address-quote.h"
#include "common/columns.h"
#include "mumctl/reverse/ask.h"

/* The columns of MUM_USER. */
static const char mailboxes_sql[] =
	"SELECT 1, " USER_COLUMNS_SQL " FROM domains d JOIN mailboxes m ON m.domain_id = d.id"
	" WHERE d.domain = ? ORDER BY m.id";

/*
 * The columns of MUM_DELIVERY. We already know the mailbox of the alias's name, so the
 * alias's id and deactivate_at stand in its place: see domain_rows_put_mailbox().
 */
enum { ROW_ALIAS_ID = DELIVERY_MAILBOX_LOCAL, ROW_EXPIRES = DELIVERY_MAILBOX_ACTIVE };
static const char aliases_sql[] =
	"SELECT 1, " DOMAIN_COLUMNS_SQL ", a.id, a.deactivate_at, NULL, "
	ALIAS_COLUMNS_SQL("?") ", " RECIPIENT_COLUMNS_SQL
	" FROM domains d JOIN aliases a ON a.domain_id = d.id"
	" LEFT JOIN alias_recipients r ON r.alias_id = a.id"
	" LEFT JOIN mailboxes rm ON rm.id = r.mailbox_id"
	" LEFT JOIN domains rd ON rd.id = rm.domain_id"
	" WHERE d.domain = ? ORDER BY a.id";

struct reader {
	struct domain_rows *rows;
	const struct mum_config *config;	/* of role Postfix */
	const char *domain;		/* as stored */
	const char *why;		/* a row cannot be read; static */
	struct domain_entry *entry;	/* of the alias whose rows are coming; NULL: none yet */
	struct address *address;	/* the alias's own */
	uint64_t alias_id;
};

struct domain_entry *domain_rows_find(const struct domain_rows *rows, const char *key)
{
	struct domain_entry *entry;

	KEYED_FIND(rows->entries, &rows->hash, key, strlen(key), entry);
	return entry;
}

struct domain_entry *domain_rows_find_form(const struct domain_rows *rows,
					   const struct address *address, size_t form)
{
	struct domain_entry *entry;
	char *key;

	if (address->forms[form].kind == FORM_IS_CATCH_ALL)
		return domain_rows_find(rows, address->domain);
	key = address_form_text(address, form);
	entry = domain_rows_find(rows, key);
	free(key);
	return entry;
}

/* May another name get its mail, by an extension or by quotes, or a role? */
static bool has_forms(const struct mum_config *config, struct address *address)
{
	const struct fallback_settings fallbacks = mum_config_fallbacks(config);
	const char *local = address->forms[0].local;
	size_t role;

	address_add_fallbacks(address, &fallbacks);
	return !address_is_dot_atom(local, strlen(local)) || address_is_role(address, &role) ||
	       local[address_find_extension(local, config->address.recipient_delimiter)] != '\0';
}

static struct domain_entry *add_entry(struct domain_rows *rows, const char *key)
{
	size_t len = strlen(key);
	struct domain_entry *entry = arena_alloc(&rows->arena, sizeof(*entry) + len + 1);

	memcpy(entry->key, key, len);
	entry->user = DOMAIN_ROWS_NONE;
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, rows->entries, entry->key, len,
				    keyed_hash(&rows->hash, key, len), entry);
	return entry;
}

/*
 * Finds or makes the entry. If mail cannot have the name, its key is the stored text, and
 * *address_r is NULL; else the caller frees that.
 */
static struct domain_entry *entry_of(struct reader *reader, const char *local, bool catch_all,
				     struct address **address_r)
{
	struct domain_rows *rows = reader->rows;
	char *stored = xjoin(local, "@", reader->domain);
	struct address *address = catch_all
		? address_new_catch_all(reader->domain)
		: address_new(ADDRESS_LOGIN, stored, strlen(stored), "");
	const char *key = address != NULL ? address->name : stored;
	struct domain_entry *entry = domain_rows_find(rows, key);

	if (entry == NULL) {
		entry = add_entry(rows, key);
		entry->usable = address != NULL;
		entry->catch_all = entry->usable && catch_all;
		entry->ask = entry->usable && has_forms(reader->config, address);
		entry->stored = entry->usable ? NULL : arena_strdup(&rows->arena, stored);
	}
	free(stored);
	*address_r = address;
	return entry;
}

/* The database's collation may take another domain for the same one. */
static bool is_asked(const struct reader *reader, const struct column *local,
		     const struct column *domain)
{
	return column_is_whole(local) &&
	       column_is_whole(domain) && strcmp(domain->data, reader->domain) == 0;
}

static void add_mailbox(struct reader *reader, struct domain_entry *entry,
			const struct address *address, const struct column *columns)
{
	struct facts *users = reader->rows->users;
	size_t at = users->count;

	entry->several |= entry->user != DOMAIN_ROWS_NONE;
	if (!facts_add_row(users, address, 0, columns, &reader->why) || users->count == at ||
	    entry->user != DOMAIN_ROWS_NONE)
		return;
	entry->user = (long)at;
	entry->stored = users->users[at].mailbox.address;
}

static void on_mailbox(const struct column *columns, void *arg)
{
	struct reader *reader = arg;
	struct domain_entry *entry;
	struct address *address;

	if (!is_asked(reader, &columns[MAILBOX_LOCAL], &columns[MAILBOX_DOMAIN]))
		return;
	reader->rows->active |= column_is_true(&columns[MAILBOX_DOMAIN_ACTIVE]);
	entry = entry_of(reader, columns[MAILBOX_LOCAL].data, false, &address);
	if (entry->usable)
		add_mailbox(reader, entry, address, columns);
	address_unref(&address);
}

void domain_rows_put_mailbox(const struct domain_rows *rows, const struct domain_entry *entry,
			     struct delivery_row *row)
{
	static const struct mailbox_row none = { .address = NULL };
	const struct mailbox_row *mailbox = entry->user != DOMAIN_ROWS_NONE
		? &rows->users->users[entry->user].mailbox : &none;

	row->mailbox = mailbox->address;
	row->mailbox_active = mailbox->active;
	row->mailbox_send_only = mailbox->send_only;
}

/* The first row of an alias. */
static void begin_alias(struct reader *reader, uint64_t id, const struct column *columns)
{
	struct domain_rows *rows = reader->rows;
	const char *local = columns[DELIVERY_ALIAS_LOCAL].data;
	struct domain_entry *entry;

	reader->alias_id = id;
	address_unref(&reader->address);
	entry = entry_of(reader, local, *local == '\0' && reader->config->address.catch_all,
			 &reader->address);
	reader->entry = entry;
	entry->several |= entry->alias != NULL;
	entry->alias = entry->stored;
	entry->expires = arena_strdup(&rows->arena, columns[ROW_EXPIRES].data);
	entry->expired = column_is_true(&columns[DELIVERY_ALIAS_EXPIRED]);
	entry->first = rows->deliveries->count;
	entry->count = 0;
}

/* A row of the alias: its mailbox is where MUM_DELIVERY would have it. */
static void add_delivery(struct reader *reader, struct domain_entry *entry,
			 const struct column *columns)
{
	struct facts *facts = reader->rows->deliveries;
	struct delivery_row *row;

	if (!facts_add_row(facts, reader->address, 0, columns, &reader->why) ||
	    facts->count == entry->first + entry->count)
		return;
	row = &facts->deliveries[entry->first + entry->count++];
	domain_rows_put_mailbox(reader->rows, entry, row);
	/* The two have one name; how the mailbox spells it does not matter here. */
	if (row->mailbox != NULL)
		row->mailbox = row->alias;
	entry->alias = row->alias;
	if (entry->stored == NULL)
		entry->stored = row->alias;
	entry->has_recipients |= row->recipient != NULL &&
				 (row->recipient_local || *row->stands_for != '\0');
}

static void on_alias(const struct column *columns, void *arg)
{
	struct reader *reader = arg;
	uint64_t id = column_number(&columns[ROW_ALIAS_ID]);

	if (columns[ROW_ALIAS_ID].data == NULL ||
	    !is_asked(reader, &columns[DELIVERY_ALIAS_LOCAL], &columns[DELIVERY_DOMAIN]))
		return;
	reader->rows->active |= column_is_true(&columns[DELIVERY_DOMAIN_ACTIVE]);
	if (reader->entry == NULL || reader->alias_id != id)
		begin_alias(reader, id, columns);
	if (reader->entry->usable)
		add_delivery(reader, reader->entry, columns);
}

/* The rows of one spelling of the domain. */
static bool read_spelling(struct reader *reader, struct inspect *mailboxes,
			  struct inspect *aliases, struct inspect_error *error_r)
{
	char *now = tool_now(reader->config);
	const char *const values[] = { now, reader->domain };
	/* The server reads aliases while we take the mailboxes. */
	bool good = inspect_begin(mailboxes, mailboxes_sql, &reader->domain, 1, error_r) &&
		    inspect_begin(aliases, aliases_sql, values, 2, error_r) &&
		    inspect_rows(mailboxes, on_mailbox, reader, error_r) &&
		    inspect_rows(aliases, on_alias, reader, error_r);

	free(now);
	reader->entry = NULL;
	address_unref(&reader->address);
	if (good && reader->why != NULL) {
		error_r->trouble = INSPECT_OTHER;
		snprintf(error_r->text, sizeof(error_r->text), "%s", reader->why);
	}
	return good && reader->why == NULL;
}

bool domain_rows_read(struct tool *tool, struct inspect *db, const struct facts *domains,
		      struct domain_rows *rows_r, struct inspect_error *error_r)
{
	struct reader reader = { .rows = rows_r,
				 .config = tool_config(tool, MUM_ROLE_POSTFIX) };
	struct inspect *mailboxes = ask_open(tool, MUM_ROLE_DOVECOT, error_r);
	bool good = mailboxes != NULL;
	char *any;

	*rows_r = (struct domain_rows){ .users = facts_new(MUM_USER),
					.deliveries = facts_new(MUM_DELIVERY) };
	keyed_hash_init(&rows_r->hash);
	any = xjoin("any@", domains->domains[0].name, "");
	rows_r->address = address_new(ADDRESS_LOGIN, any, strlen(any), "");
	free(any);
	for (size_t i = 0; i < domains->count && good; i++) {
		reader.domain = domains->domains[i].name;
		good = read_spelling(&reader, mailboxes, db, error_r);
	}
	/* With two spellings each has a say in the other's names. */
	for (struct domain_entry *entry = rows_r->entries; entry != NULL && domains->count > 1;
	     entry = entry->hh.next)
		entry->several = true;
	inspect_close(&mailboxes);
	return good;
}

void domain_rows_clear(struct domain_rows *rows)
{
	HASH_CLEAR(hh, rows->entries);	/* they lie in the arena */
	address_unref(&rows->address);
	facts_unref(&rows->users);
	facts_unref(&rows->deliveries);
	arena_free(&rows->arena);
}
