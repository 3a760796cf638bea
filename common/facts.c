/* SPDX-License-Identifier: MIT */
#include "common/facts.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/columns.h"
#include "common/xalloc.h"

/* What one question's rows look like and how one is read. */
struct row_kind {
	const char *name;
	size_t size;
	size_t local, domain;	/* columns that must be the name asked for; 0 = none */
	bool (*read)(struct facts *facts, const struct column *columns, void *row);
};

static bool is_true(const struct column *column)
{
	return column->data != NULL && strcmp(column->data, "0") != 0;
}

static const char *copy(struct facts *facts, const struct column *column)
{
	return column->data == NULL
		       ? NULL
		       : arena_strndup(&facts->arena, column->data, column->len);
}

/* A copy, or NULL for a value that no other program should be handed. */
static const char *copy_clean(struct facts *facts, const struct column *column)
{
	if (column->data == NULL || !text_is_clean(column->data, column->len))
		return NULL;
	return copy(facts, column);
}

/* NULL where either is NULL or would be cut at a NUL byte. */
static const char *join_address(struct facts *facts, const struct column *local,
				const struct column *domain)
{
	char *joined;

	if (local->data == NULL || domain->data == NULL ||
	    strlen(local->data) != local->len || strlen(domain->data) != domain->len)
		return NULL;
	joined = arena_alloc(&facts->arena, local->len + domain->len + 2);
	memcpy(joined, local->data, local->len);
	joined[local->len] = '@';
	memcpy(joined + local->len + 1, domain->data, domain->len);
	return joined;
}

static bool read_domain(struct facts *facts, const struct column *columns, void *_row)
{
	struct domain_row *row = _row;

	row->name = copy(facts, &columns[DOMAIN_NAME]);
	row->active = is_true(&columns[DOMAIN_ACTIVE]);
	return true;
}

static bool read_mailbox(struct facts *facts, const struct column *columns, void *_row)
{
	struct mailbox_row *row = _row;

	row->address = join_address(facts, &columns[MAILBOX_LOCAL],
				    &columns[MAILBOX_DOMAIN]);
	row->domain_active = is_true(&columns[MAILBOX_DOMAIN_ACTIVE]);
	row->active = is_true(&columns[MAILBOX_ACTIVE]);
	row->send_only = is_true(&columns[MAILBOX_SEND_ONLY]);
	return true;
}

/* Does a mailbox stand behind the alias' own name and take mail? */
static bool self_accepts(const struct column *columns)
{
	const char *self = columns[RECIPIENT_SELF_LOCAL].data;
	char *self_folded, *alias_folded;
	bool same;

	if (self == NULL || !is_true(&columns[RECIPIENT_SELF_ACTIVE]) ||
	    is_true(&columns[RECIPIENT_SELF_SEND_ONLY]))
		return false;
	/* The same domain row; only the collation joined the local parts. */
	self_folded = address_fold(self);
	alias_folded = address_fold(columns[ALIAS_LOCAL].data);
	same = strcmp(self_folded, alias_folded) == 0;
	free(self_folded);
	free(alias_folded);
	return same;
}

static bool read_recipient(struct facts *facts, const struct column *columns, void *_row)
{
	struct recipient_row *row = _row;

	row->alias = join_address(facts, &columns[ALIAS_LOCAL], &columns[ALIAS_DOMAIN]);
	row->domain_active = is_true(&columns[ALIAS_DOMAIN_ACTIVE]);
	row->active = is_true(&columns[ALIAS_ACTIVE]);
	row->expired = is_true(&columns[ALIAS_EXPIRED]);
	row->recipient = copy(facts, &columns[RECIPIENT_ADDRESS]);
	row->local = columns[RECIPIENT_MAILBOX].data != NULL;
	row->mailbox_active = is_true(&columns[RECIPIENT_MAILBOX_ACTIVE]);
	row->mailbox_domain_active = is_true(&columns[RECIPIENT_MAILBOX_DOMAIN_ACTIVE]);
	row->mailbox_send_only = is_true(&columns[RECIPIENT_MAILBOX_SEND_ONLY]);
	row->self_accepts = self_accepts(columns);
	/* Cut at a NUL byte, it would be somebody else's address. */
	return row->recipient == NULL ||
	       strlen(row->recipient) == columns[RECIPIENT_ADDRESS].len;
}

static bool read_owner(struct facts *facts, const struct column *columns, void *_row)
{
	struct owner_row *row = _row;

	row->login = join_address(facts, &columns[OWNER_LOCAL], &columns[OWNER_DOMAIN]);
	row->domain_active = is_true(&columns[ALIAS_DOMAIN_ACTIVE]);
	row->through_alias = is_true(&columns[OWNER_THROUGH_ALIAS]);
	row->alias_active = is_true(&columns[ALIAS_ACTIVE]);
	row->alias_expired = is_true(&columns[ALIAS_EXPIRED]);
	row->mailbox_active = is_true(&columns[OWNER_MAILBOX_ACTIVE]);
	row->mailbox_domain_active = is_true(&columns[OWNER_MAILBOX_DOMAIN_ACTIVE]);
	return row->login != NULL;
}

static bool read_tls(struct facts *facts, const struct column *columns, void *_row)
{
	struct tls_row *row = _row;

	row->policy = copy(facts, &columns[TLS_POLICY]);
	row->params = copy(facts, &columns[TLS_PARAMS]);
	row->active = is_true(&columns[TLS_ACTIVE]);
	return row->policy != NULL;
}

static bool read_credential(struct facts *facts, const struct column *columns, void *_row)
{
	struct credential_row *row = _row;

	read_mailbox(facts, columns, &row->mailbox);
	row->password = copy_clean(facts, &columns[CREDENTIAL_PASSWORD]);
	return true;
}

static bool read_user(struct facts *facts, const struct column *columns, void *_row)
{
	struct user_row *row = _row;

	read_mailbox(facts, columns, &row->mailbox);
	row->homedir = copy_clean(facts, &columns[USER_HOMEDIR]);
	row->maildir = copy_clean(facts, &columns[USER_MAILDIR]);
	row->quota = copy_clean(facts, &columns[USER_QUOTA]);
	return true;
}

static bool read_listed(struct facts *facts, const struct column *columns, void *_row)
{
	struct listed_row *row = _row;
	char *end;

	read_mailbox(facts, columns, &row->mailbox);
	if (columns[LISTED_ID].data == NULL)
		return false;
	errno = 0;
	row->id = strtoull(columns[LISTED_ID].data, &end, 10);
	return errno == 0 && *end == '\0' && end != columns[LISTED_ID].data;
}

static const struct row_kind row_kinds[MUM_QUESTIONS] = {
	[MUM_DOMAIN] = { "domain", sizeof(struct domain_row), 0, DOMAIN_NAME,
			 read_domain },
	[MUM_MAILBOX] = { "mailbox", sizeof(struct mailbox_row), MAILBOX_LOCAL,
			  MAILBOX_DOMAIN, read_mailbox },
	[MUM_RECIPIENTS] = { "recipients", sizeof(struct recipient_row), ALIAS_LOCAL,
			     ALIAS_DOMAIN, read_recipient },
	[MUM_OWNERS] = { "owners", sizeof(struct owner_row), ALIAS_LOCAL,
			 ALIAS_DOMAIN, read_owner },
	[MUM_TLS] = { "tls", sizeof(struct tls_row), 0, TLS_DOMAIN, read_tls },
	[MUM_CREDENTIAL] = { "credential", sizeof(struct credential_row),
			     MAILBOX_LOCAL, MAILBOX_DOMAIN, read_credential },
	[MUM_USER] = { "user", sizeof(struct user_row), MAILBOX_LOCAL,
		       MAILBOX_DOMAIN, read_user },
	[MUM_USERS] = { "users", sizeof(struct listed_row), 0, 0, read_listed },
};

const char *mum_question_name(enum mum_question question)
{
	return row_kinds[question].name;
}

struct facts *facts_new(enum mum_question question)
{
	struct facts *facts = xcalloc(1, sizeof(*facts));

	facts->question = question;
	facts->refs = 1;
	return facts;
}

struct facts *facts_ref(struct facts *facts)
{
	facts->refs++;
	return facts;
}

void facts_unref(struct facts **_facts)
{
	struct facts *facts = *_facts;

	*_facts = NULL;
	if (facts == NULL || --facts->refs > 0)
		return;
	if (facts->question == MUM_CREDENTIAL) {
		for (size_t i = 0; i < facts->count; i++) {
			const char *password = facts->credentials[i].password;

			if (password != NULL)
				explicit_bzero((char *)(uintptr_t)password,
					       strlen(password));
		}
	}
	arena_free(&facts->arena);
	free(facts->rows);
	free(facts);
}

/* Is the row about the name that was asked for, or only a collation's idea of it? */
static bool is_asked_for(const struct row_kind *kind, const struct address *address,
			 size_t form, const struct column *columns)
{
	const struct column *local = &columns[kind->local];
	const struct column *domain = &columns[kind->domain];

	if (kind->domain == 0)
		return true;
	if (domain->data == NULL || strlen(domain->data) != domain->len ||
	    !address_is_domain(address, domain->data))
		return false;
	return kind->local == 0 ||
	       (local->data != NULL && strlen(local->data) == local->len &&
		address_is_local(&address->forms[form], local->data));
}

/* Room for one more zeroed row; the array doubles at each power of two. */
static void *next_row(struct facts *facts, size_t size)
{
	char *row;

	if ((facts->count & (facts->count - 1)) == 0)
		facts->rows = xrealloc(facts->rows,
				       size * (facts->count > 0 ? facts->count * 2 : 1));
	row = (char *)facts->rows + size * facts->count;
	return memset(row, 0, size);
}

bool facts_add_row(struct facts *facts, const struct address *address,
		   size_t form, const struct column *columns, const char **why)
{
	const struct row_kind *kind = &row_kinds[facts->question];
	void *row;

	if (kind->domain != 0 && form >= address->forms_count) {
		*why = "a row answers a name that was not asked for";
		return false;
	}
	if (!is_asked_for(kind, address, form, columns))
		return true;
	row = next_row(facts, kind->size);
	if (!kind->read(facts, columns, row)) {
		*why = "a row holds a value that cannot be read";
		return false;
	}
	if (kind->domain != 0)
		*(size_t *)row = form;	/* the first member of each of these structs */
	facts->count++;
	return true;
}
