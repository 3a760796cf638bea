/* SPDX-License-Identifier: MIT */
#include "common/facts.h"

#include <assert.h>
#include <errno.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "common/columns.h"
#include "common/text.h"
#include "common/xalloc.h"

/* What is asked for, and as which form of the key. */
struct wanted {
	const struct address *address;
	size_t form;
};

enum { TEXTS_MAX = 5 };

/* What a question is, and what its rows look like. */
struct kind {
	const char *name;
	enum address_kind key;
	bool cached, for_mail;
	size_t size;
	size_t local, domain;	/* columns that must be the name asked for; 0 = none */
	bool (*read)(struct facts *facts, const struct wanted *wanted,
		     const struct column *columns, void *row);
	int (*compare)(const void *a, const void *b);	/* NULL: in any order */
	size_t texts[TEXTS_MAX + 1];	/* if cached: offsets of a row's strings; 0 ends them */
};

bool column_is_true(const struct column *column)
{
	return column->data != NULL && strcmp(column->data, "0") != 0;
}

uint64_t column_number(const struct column *column)
{
	return column->data != NULL ? strtoull(column->data, NULL, 10) : 0;
}

bool column_is_whole(const struct column *column)
{
	return column->data != NULL && strlen(column->data) == column->len;
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

	if (!column_is_whole(local) || !column_is_whole(domain))
		return NULL;
	joined = arena_alloc(&facts->arena, local->len + domain->len + 2);
	memcpy(joined, local->data, local->len);
	joined[local->len] = '@';
	memcpy(joined + local->len + 1, domain->data, domain->len);
	return joined;
}

static bool read_domain(struct facts *facts, const struct wanted *wanted,
		       const struct column *columns, void *_row)
{
	struct domain_row *row = _row;

	(void)wanted;
	row->name = copy(facts, &columns[DOMAIN_NAME]);
	row->active = column_is_true(&columns[DOMAIN_ACTIVE]);
	return true;
}

static void read_mailbox(struct facts *facts, const struct column *columns,
			 struct mailbox_row *row)
{
	row->address = join_address(facts, &columns[MAILBOX_LOCAL],
				    &columns[MAILBOX_DOMAIN]);
	row->domain_active = column_is_true(&columns[MAILBOX_DOMAIN_ACTIVE]);
	row->active = column_is_true(&columns[MAILBOX_ACTIVE]);
	row->send_only = column_is_true(&columns[MAILBOX_SEND_ONLY]);
}

/* Is the column the local part that was asked for, or only a collation's idea of it? */
static bool is_local(const struct wanted *wanted, const struct column *local)
{
	return column_is_whole(local) &&
	       address_is_local(&wanted->address->forms[wanted->form], local->data);
}

/* A mailbox without a local part is nobody's, whatever MUM's tables allow. */
static bool is_mailbox(const struct wanted *wanted, const struct column *local)
{
	return wanted->address->forms[wanted->form].kind == FORM_IS_NAME && is_local(wanted, local);
}

static bool read_number(const struct column *column, uint64_t *value_r)
{
	char *end;

	if (column->data == NULL)
		return false;
	errno = 0;
	*value_r = strtoull(column->data, &end, 10);
	return errno == 0 && *end == '\0' && end != column->data;
}

static const char *copy_trimmed(struct facts *facts, const struct column *column)
{
	const char *text = column->data;
	size_t len = text_trim(&text, column->len);

	return arena_strndup(&facts->arena, text, len);
}

static bool read_recipient(struct facts *facts, const struct column *columns,
			   struct delivery_row *row)
{
	const struct column *recipient = &columns[RECIPIENT_ADDRESS];

	if (columns[RECIPIENT_ID].data == NULL)
		return true;
	/* Cut at a NUL byte, it would be somebody else's address. */
	if (!read_number(&columns[RECIPIENT_ID], &row->recipient_id) ||
	    !column_is_whole(recipient))
		return false;
	row->recipient = copy(facts, recipient);
	row->recipient_local = columns[RECIPIENT_MAILBOX].data != NULL;
	row->stands_for = row->recipient_local
				  ? join_address(facts, &columns[RECIPIENT_MAILBOX_LOCAL],
						 &columns[RECIPIENT_MAILBOX_DOMAIN])
				  : copy_trimmed(facts, recipient);
	row->recipient_active = column_is_true(&columns[RECIPIENT_MAILBOX_ACTIVE]);
	row->recipient_domain_active = column_is_true(&columns[RECIPIENT_MAILBOX_DOMAIN_ACTIVE]);
	row->recipient_send_only = column_is_true(&columns[RECIPIENT_MAILBOX_SEND_ONLY]);
	return true;
}

static bool read_delivery(struct facts *facts, const struct wanted *wanted,
			 const struct column *columns, void *_row)
{
	struct delivery_row *row = _row;

	row->domain_active = column_is_true(&columns[DELIVERY_DOMAIN_ACTIVE]);
	if (is_mailbox(wanted, &columns[DELIVERY_MAILBOX_LOCAL])) {
		row->mailbox = join_address(facts, &columns[DELIVERY_MAILBOX_LOCAL],
					    &columns[DELIVERY_DOMAIN]);
		row->mailbox_active = column_is_true(&columns[DELIVERY_MAILBOX_ACTIVE]);
		row->mailbox_send_only = column_is_true(&columns[DELIVERY_MAILBOX_SEND_ONLY]);
	}
	if (!is_local(wanted, &columns[DELIVERY_ALIAS_LOCAL]))
		return true;
	row->alias = join_address(facts, &columns[DELIVERY_ALIAS_LOCAL],
				  &columns[DELIVERY_DOMAIN]);
	row->alias_active = column_is_true(&columns[DELIVERY_ALIAS_ACTIVE]);
	row->alias_expired = column_is_true(&columns[DELIVERY_ALIAS_EXPIRED]);
	return read_recipient(facts, columns, row);
}

static bool read_name(struct facts *facts, const struct wanted *wanted,
		      const struct column *columns, void *_row)
{
	struct name_row *row = _row;

	(void)facts;
	row->domain_active = column_is_true(&columns[DELIVERY_DOMAIN_ACTIVE]);
	row->mailbox = is_mailbox(wanted, &columns[DELIVERY_MAILBOX_LOCAL]);
	row->mailbox_active = row->mailbox && column_is_true(&columns[DELIVERY_MAILBOX_ACTIVE]);
	row->mailbox_send_only = row->mailbox && column_is_true(&columns[DELIVERY_MAILBOX_SEND_ONLY]);
	row->alias = is_local(wanted, &columns[DELIVERY_ALIAS_LOCAL]);
	row->alias_active = row->alias && column_is_true(&columns[DELIVERY_ALIAS_ACTIVE]);
	row->alias_expired = row->alias && column_is_true(&columns[DELIVERY_ALIAS_EXPIRED]);
	row->alias_has_recipients = row->alias && column_is_true(&columns[NAME_HAS_RECIPIENTS]);
	return true;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_deliveries(const void *_a, const void *_b)
{
	const struct delivery_row *a = _a, *b = _b;

	return a->form != b->form ? compare_numbers(a->form, b->form)
				  : compare_numbers(a->recipient_id, b->recipient_id);
}

static int compare_names(const void *_a, const void *_b)
{
	const struct name_row *a = _a, *b = _b;

	return compare_numbers(a->form, b->form);
}

static bool read_owner(struct facts *facts, const struct wanted *wanted,
		       const struct column *columns, void *_row)
{
	struct owner_row *row = _row;

	(void)wanted;
	row->login = join_address(facts, &columns[OWNER_LOCAL], &columns[OWNER_DOMAIN]);
	row->domain_active = column_is_true(&columns[OWNED_DOMAIN_ACTIVE]);
	row->alias_active = column_is_true(&columns[OWNER_ALIAS_ACTIVE]);
	row->alias_expired = column_is_true(&columns[OWNER_ALIAS_EXPIRED]);
	row->mailbox_active = column_is_true(&columns[OWNER_MAILBOX_ACTIVE]);
	row->mailbox_domain_active = column_is_true(&columns[OWNER_MAILBOX_DOMAIN_ACTIVE]);
	return row->login != NULL && read_number(&columns[OWNER_ID], &row->id);
}

static int compare_owners(const void *_a, const void *_b)
{
	const struct owner_row *a = _a, *b = _b;

	return a->form != b->form ? compare_numbers(a->form, b->form)
				  : compare_numbers(a->id, b->id);
}

static bool read_tls(struct facts *facts, const struct wanted *wanted,
		       const struct column *columns, void *_row)
{
	struct tls_row *row = _row;

	(void)wanted;
	row->policy = copy(facts, &columns[TLS_POLICY]);
	row->params = copy(facts, &columns[TLS_PARAMS]);
	row->active = column_is_true(&columns[TLS_ACTIVE]);
	return row->policy != NULL && column_is_whole(&columns[TLS_POLICY]) &&
	       (row->params == NULL || column_is_whole(&columns[TLS_PARAMS]));
}

static bool read_credential(struct facts *facts, const struct wanted *wanted,
		       const struct column *columns, void *_row)
{
	struct credential_row *row = _row;

	(void)wanted;
	read_mailbox(facts, columns, &row->mailbox);
	row->password = copy_clean(facts, &columns[CREDENTIAL_PASSWORD]);
	return true;
}

static const char *copy_quota(struct facts *facts, const struct column *column)
{
	const char *text = copy_clean(facts, column);

	return column->data != NULL && text == NULL ? "" : text;
}

static bool read_user(struct facts *facts, const struct wanted *wanted,
		       const struct column *columns, void *_row)
{
	struct user_row *row = _row;

	(void)wanted;
	read_mailbox(facts, columns, &row->mailbox);
	row->homedir = copy_clean(facts, &columns[USER_HOMEDIR]);
	row->maildir = copy_clean(facts, &columns[USER_MAILDIR]);
	row->quota = copy_quota(facts, &columns[USER_QUOTA]);
	row->domain_quota = copy_quota(facts, &columns[USER_DOMAIN_QUOTA]);
	return true;
}

static bool read_listed(struct facts *facts, const struct wanted *wanted,
		       const struct column *columns, void *_row)
{
	struct listed_row *row = _row;

	(void)wanted;
	read_mailbox(facts, columns, &row->mailbox);
	return read_number(&columns[LISTED_ID], &row->id);
}

#define TEXT(ROW, MEMBER) offsetof(struct ROW, MEMBER)

/* Hashes are not kept, and pages are asked for once. */
static const struct kind kinds[MUM_QUESTIONS] = {
	[MUM_DOMAIN] = { "domain", ADDRESS_DOMAIN, true, true, sizeof(struct domain_row), 0,
			 DOMAIN_NAME, read_domain, NULL, { TEXT(domain_row, name) } },
	[MUM_DELIVERY] = { "delivery", ADDRESS_MAIL, true, true, sizeof(struct delivery_row), 0,
			   DELIVERY_DOMAIN, read_delivery, compare_deliveries,
			   { TEXT(delivery_row, mailbox), TEXT(delivery_row, alias),
			     TEXT(delivery_row, recipient), TEXT(delivery_row, stands_for) } },
	[MUM_NAME] = { "name", ADDRESS_MAIL, true, true, sizeof(struct name_row), 0,
		       DELIVERY_DOMAIN, read_name, compare_names, { 0 } },
	[MUM_OWNERS] = { "owners", ADDRESS_MAIL, true, true, sizeof(struct owner_row),
			 OWNED_LOCAL, OWNED_DOMAIN, read_owner, compare_owners,
			 { TEXT(owner_row, login) } },
	[MUM_TLS] = { "tls", ADDRESS_TLS, true, true, sizeof(struct tls_row), 0, TLS_DOMAIN,
		      read_tls, NULL, { TEXT(tls_row, policy), TEXT(tls_row, params) } },
	[MUM_CREDENTIAL] = { "credential", ADDRESS_LOGIN, false, false,
			     sizeof(struct credential_row), MAILBOX_LOCAL, MAILBOX_DOMAIN,
			     read_credential, NULL, { 0 } },
	[MUM_USER] = { "user", ADDRESS_LOGIN, true, false, sizeof(struct user_row),
		       MAILBOX_LOCAL, MAILBOX_DOMAIN, read_user, NULL,
		       { TEXT(user_row, mailbox.address), TEXT(user_row, homedir),
			 TEXT(user_row, maildir), TEXT(user_row, quota),
			 TEXT(user_row, domain_quota) } },
	[MUM_USERS] = { "users", ADDRESS_LOGIN, false, false, sizeof(struct listed_row), 0, 0,
			read_listed, NULL, { 0 } },
};

const char *mum_question_name(enum question_kind kind)
{
	return kinds[kind].name;
}

enum address_kind mum_question_key(enum question_kind kind)
{
	return kinds[kind].key;
}

bool mum_question_is_cached(enum question_kind kind)
{
	return kinds[kind].cached;
}

bool mum_question_is_for_mail(enum question_kind kind)
{
	return kinds[kind].for_mail;
}

struct facts *facts_new(enum question_kind kind)
{
	struct facts *facts = xcalloc(1, sizeof(*facts));

	facts->kind = kind;
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
	if (facts->kind == MUM_CREDENTIAL)
		arena_wipe(&facts->arena);
	arena_free(&facts->arena);
	if (!facts->packed)
		free(facts->rows);
	free(facts);
}

static bool is_asked_for(const struct kind *kind, const struct wanted *wanted,
			 const struct column *columns)
{
	const struct column *domain = &columns[kind->domain];

	if (kind->domain == 0)
		return true;
	/* The tables know no roles: what has the name of one answers as that name. */
	if (wanted->address->forms[wanted->form].kind == FORM_IS_ROLE)
		return false;
	if (!column_is_whole(domain) ||
	    !address_is_domain(wanted->address, domain->data))
		return false;
	return kind->local == 0 || is_local(wanted, &columns[kind->local]);
}

static void *next_row(struct facts *facts, size_t size)
{
	char *row;

	assert(!facts->packed);
	facts->rows = xgrow(facts->rows, facts->count, size);
	row = (char *)facts->rows + size * facts->count;
	return memset(row, 0, size);
}

bool facts_add_row(struct facts *facts, const struct address *address,
		   size_t form, const struct column *columns, const char **why)
{
	const struct kind *kind = &kinds[facts->kind];
	const struct wanted wanted = { address, form };
	void *row;

	if (kind->domain != 0 && form >= address->forms_count) {
		*why = "a row answers a name that was not asked for";
		return false;
	}
	if (!is_asked_for(kind, &wanted, columns))
		return true;
	row = next_row(facts, kind->size);
	if (!kind->read(facts, &wanted, columns, row)) {
		*why = "a row holds a value that cannot be read";
		return false;
	}
	if (kind->domain != 0)
		*(size_t *)row = form;	/* the first member of each of these structs */
	facts->count++;
	return true;
}

void *facts_new_row(struct facts *facts)
{
	void *row = next_row(facts, kinds[facts->kind].size);

	facts->count++;
	return row;
}

void facts_complete(struct facts *facts)
{
	const struct kind *kind = &kinds[facts->kind];

	if (kind->compare != NULL && facts->count > 1)
		qsort(facts->rows, facts->count, kind->size, kind->compare);
}

/* ---- in one block ---- */

/* The string of a row at one of its kind's offsets. */
static const char **text_at(const struct facts *facts, size_t row, size_t offset)
{
	return (const char **)((char *)facts->rows + row * kinds[facts->kind].size + offset);
}

static size_t texts_size(const struct facts *facts)
{
	size_t size = 0;

	for (size_t row = 0; row < facts->count; row++) {
		for (const size_t *text = kinds[facts->kind].texts; *text != 0; text++) {
			const char *from = *text_at(facts, row, *text);

			size += from != NULL ? strlen(from) + 1 : 0;
		}
	}
	return size;
}

/* Copies the strings of all rows to one place after the other. */
static void move_texts(struct facts *facts, char *to)
{
	for (size_t row = 0; row < facts->count; row++) {
		for (const size_t *text = kinds[facts->kind].texts; *text != 0; text++) {
			const char **from = text_at(facts, row, *text);

			if (*from == NULL)
				continue;
			*from = memcpy(to, *from, strlen(*from) + 1);
			to += strlen(to) + 1;
		}
	}
}

/* Where the rows begin in that block. */
enum { ROWS_AT = (sizeof(struct facts) + alignof(max_align_t) - 1) / alignof(max_align_t) *
		 alignof(max_align_t) };

struct facts *facts_pack(const struct facts *facts)
{
	size_t rows_size = facts->count * kinds[facts->kind].size;
	char *block = xmalloc(ROWS_AT + rows_size + texts_size(facts));
	struct facts *packed = (struct facts *)block;

	assert(kinds[facts->kind].cached);
	*packed = (struct facts){ .kind = facts->kind, .count = facts->count,
				  .rows = block + ROWS_AT, .refs = 1, .packed = true };
	if (facts->count > 0)
		memcpy(packed->rows, facts->rows, rows_size);
	move_texts(packed, block + ROWS_AT + rows_size);
	return packed;
}
