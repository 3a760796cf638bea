/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/rows.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

void row_feed(struct row *row, struct feed *feed)
{
	for (size_t i = 0; i < ROWS_CELLS; i++)
		row->columns[i].data = feed_text(feed, &row->columns[i].len);
}

static void set_cell(struct row *row, size_t column, const char *text)
{
	free((char *)(uintptr_t)row->columns[column].data);
	row->columns[column] = (struct column){ xstrdup(text), strlen(text) };
}

void row_aim(struct row *row, enum question_kind kind, const struct address *address,
	     size_t form)
{
	static const struct {
		size_t locals[2], domain;
	} names[MUM_QUESTIONS] = {
		[MUM_DOMAIN] = { { 0, 0 }, DOMAIN_NAME },
		[MUM_DELIVERY] = { { DELIVERY_MAILBOX_LOCAL, DELIVERY_ALIAS_LOCAL },
				   DELIVERY_DOMAIN },
		[MUM_NAME] = { { DELIVERY_MAILBOX_LOCAL, DELIVERY_ALIAS_LOCAL },
			       DELIVERY_DOMAIN },
		[MUM_OWNERS] = { { OWNED_LOCAL, 0 }, OWNED_DOMAIN },
		[MUM_TLS] = { { 0, 0 }, TLS_DOMAIN },
		[MUM_CREDENTIAL] = { { MAILBOX_LOCAL, 0 }, MAILBOX_DOMAIN },
		[MUM_USER] = { { MAILBOX_LOCAL, 0 }, MAILBOX_DOMAIN },
	};

	if (address == NULL || names[kind].domain == 0)
		return;
	set_cell(row, names[kind].domain, address->domain);
	for (size_t i = 0; i < 2; i++) {
		if (names[kind].locals[i] != 0)
			set_cell(row, names[kind].locals[i], address->forms[form].local);
	}
}

void row_free(struct row *row)
{
	for (size_t i = 0; i < ROWS_CELLS; i++)
		free((char *)(uintptr_t)row->columns[i].data);
}
