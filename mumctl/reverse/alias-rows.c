/* SPDX-License-Identifier: MIT */
#include "mumctl/reverse/alias-rows.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

enum { ROW_ID, ROW_LOCAL, ROW_DOMAIN, ROW_EXPIRES, ROW_COLUMNS };
enum { ROW_MAILBOX_LOCAL = ROW_COLUMNS, ROW_MAILBOX_DOMAIN };

#define ALIAS_COLUMNS "SELECT a.id, a.local_part, ad.domain, a.deactivate_at"

#define OF_MAILBOX(TABLE) \
	ALIAS_COLUMNS ", m.local_part, d.domain" \
	" FROM domains d JOIN mailboxes m ON m.domain_id = d.id" \
	" JOIN " TABLE " r ON r.mailbox_id = m.id" \
	" JOIN aliases a ON a.id = r.alias_id JOIN domains ad ON ad.id = a.domain_id" \
	" WHERE d.domain = ? AND m.local_part = ? ORDER BY a.id"

#define BY_ID(LIST) \
	ALIAS_COLUMNS " FROM " LIST " JOIN domains ad ON ad.id = a.domain_id ORDER BY a.id"

static const char *const of_mailbox[] = {
	[ALIAS_ROWS_RECIPIENT] = OF_MAILBOX("alias_recipients"),
	[ALIAS_ROWS_SENDER] = OF_MAILBOX("alias_senders"),
};

struct rows_reader {
	const char *local, *domain;	/* of the mailbox; NULL: any */
	alias_row_fn *fn;
	void *arg;
};

/* The database's collation may take other names for the same one. */
static bool is_asked(const struct rows_reader *reading, const struct column *columns)
{
	return reading->local == NULL ||
	       (column_is_whole(&columns[ROW_MAILBOX_LOCAL]) &&
		column_is_whole(&columns[ROW_MAILBOX_DOMAIN]) &&
		strcmp(columns[ROW_MAILBOX_LOCAL].data, reading->local) == 0 &&
		strcmp(columns[ROW_MAILBOX_DOMAIN].data, reading->domain) == 0);
}

static void on_row(const struct column *columns, void *arg)
{
	const struct rows_reader *reading = arg;
	char *address;

	if (!column_is_whole(&columns[ROW_LOCAL]) || !column_is_whole(&columns[ROW_DOMAIN]) ||
	    !is_asked(reading, columns))
		return;
	address = xjoin(columns[ROW_LOCAL].data, "@", columns[ROW_DOMAIN].data);
	reading->fn(column_number(&columns[ROW_ID]), address, columns[ROW_EXPIRES].data,
		    reading->arg);
	free(address);
}

bool alias_rows_of(struct inspect *db, enum alias_rows_as as, const char *mailbox,
		   alias_row_fn *fn, void *arg, struct inspect_error *error_r)
{
	const char *at = strrchr(mailbox, '@');
	char *local = xstrndup(mailbox, (size_t)(at - mailbox));
	struct rows_reader reading = { local, at + 1, fn, arg };
	const char *const values[] = { at + 1, local };
	bool good = inspect_ask(db, of_mailbox[as], values, 2, on_row, &reading, error_r);

	free(local);
	return good;
}

bool alias_rows_by_id(struct inspect *db, bool sqlite, const char *ids, alias_row_fn *fn,
		      void *arg, struct inspect_error *error_r)
{
	static const char mariadb_sql[] = BY_ID(
		"JSON_TABLE(?, '$[*]' COLUMNS(id BIGINT UNSIGNED PATH '$')) k"
		" STRAIGHT_JOIN aliases a ON a.id = k.id");
	static const char sqlite_sql[] = BY_ID(
		"json_each(?) k CROSS JOIN aliases a ON a.id = k.value");
	struct rows_reader reading = { NULL, NULL, fn, arg };

	return inspect_ask(db, sqlite ? sqlite_sql : mariadb_sql, &ids, 1, on_row, &reading,
			   error_r);
}
