/* SPDX-License-Identifier: MIT */
/* Rows of text cells for facts_add_row(), as a store would hand them over. */
#ifndef FACTS_CELLS_H
#define FACTS_CELLS_H

#include "common/columns.h"
#include "tests/unit/unit.h"

/* Adds one row of text cells; the result of facts_add_row(). */
static inline bool add(struct facts *facts, const struct address *address, size_t form,
		const char *const *cells)
{
	struct column columns[COLUMNS_MAX + 1];
	const char *why = NULL;
	bool ok;

	unit_columns(columns, cells, COLUMNS_MAX + 1);
	ok = facts_add_row(facts, address, form, columns, &why);
	WANT("a bad row says why, a good one does not", ok == (why == NULL));
	return ok;
}

static inline struct address *mail(const char *key)
{
	return address_new(ADDRESS_MAIL, key, strlen(key), "+");
}

/* From now on the facts are the ones that a cache would hold. */
static inline void pack(struct facts **facts)
{
	struct facts *packed = facts_pack(*facts);

	facts_unref(facts);
	*facts = packed;
}

#define DELIVERY_CELLS \
	{ "1", "Example.com", "1", NULL, NULL, NULL, "Joe", "1", "0", "7", \
	  "to@example.org", NULL, NULL, NULL, NULL, NULL, NULL }

#endif
