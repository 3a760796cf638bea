/* SPDX-License-Identifier: MIT */
/* What differs, as JSON, and the report that is made of it. */
#ifndef MUM_COMPARE_REPORT_H
#define MUM_COMPARE_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Answers that differ, as JSON, and how many of them there are of each kind. */
struct ledger {
	json_t *changed, *differences;
	size_t harmless, unexplained;
};

struct ledger ledger_new(void);
void ledger_free(struct ledger *ledger);
/*
 * One answer about the key. stock and ours: NULL for "not found". reason: of
 * compare_reason(). changes: does the difference change anything for mail?
 */
void ledger_add(struct ledger *ledger, const char *map, const char *key, const char *stock,
		const char *ours, const char *reason, bool changes);
/* Adds a line, in words, to a list of what changes. */
void ledger_add_line(json_t *lines, const char *name, const char *stock, const char *ours,
		     const char *numbers);

/* Prints the document for people. all: also what changes nothing, and whole values. */
void report_print(const json_t *document, bool all);

#endif
