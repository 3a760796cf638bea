/* SPDX-License-Identifier: MIT */
/* The parts of mumctl compare: stock's answers, the number of each difference, the report. */
#ifndef MUM_COMPARE_H
#define MUM_COMPARE_H

#include "common/inspect.h"
#include "mumctl/as-mumd.h"
#include "mumctl/compare/effects.h"
#include "mumctl/compare/names.h"
#include "mumctl/tool.h"

/* ---- stock: what postmap(1) says of one mysql: file ---- */

struct stock;

/*
 * Asks postmap about the names of these kinds. NULL when it cannot be asked, or fails: why
 * is on standard error.
 */
struct stock *stock_ask(const char *mysql_file, const struct names *names, unsigned kinds);
/* The value; NULL when it was not found. Valid until stock_free(). */
const char *stock_find(const struct stock *stock, const char *key);
/*
 * The form of the address (names_add_forms()) under which Postfix, which tries one after
 * the other, finds a value; NULL when it finds none. Caller frees.
 */
char *stock_search(const struct stock *stock, const char *key, const char *delimiters);
void stock_free(struct stock **stock);	/* sets NULL; NULL is fine */

/*
 * Complains that a file cannot be opened (errno), and what follows from it. An admin may
 * leave out a file, but not one that is there and cannot be read: then false.
 */
bool stock_complain_missing(const char *file, const char *what);

/* ---- twins: what the server's collation takes for equal, and we do not ---- */

/*
 * Has MUM's query for this map a row to find under the key that is another name? db:
 * of MariaDB; NULL finds nothing. Sets *failed when the server gives no answer.
 */
bool twin_exists(struct inspect *db, enum socketmap_number map, const char *key, bool *failed);
/* The same for any row, in whatever spelling, under the key as it is. */
bool twin_is_found(struct inspect *db, enum socketmap_number map, const char *key,
		   bool *failed);

/* ---- reasons ---- */

/*
 * The entries of doc/differences.md that tell the two answers apart, as "D6 D9";
 * "" when they are the same; "?" when no entry does. stock is NULL when it was
 * not found; ours is what the map makes of the answer that was asked for. False when the
 * database gave no answer to what this asks besides.
 */
bool compare_reason(struct tool *tool, struct inspect *db, enum socketmap_number map,
		    const char *key, const char *stock, const struct asked *asked,
		    const struct map_reply *ours, char reason[REASON_TEXT_SIZE]);

/* ---- senders: who may send as what ---- */

/* Appends an object "senders" to the document. False: it has complained about no answer. */
bool senders_compare(struct tool *tool, const struct stock *stock, const struct sents *sents,
		     bool has_log, json_t *document);

/* ---- Dovecot: its queries against the module ---- */

/*
 * Compares each name that is a login. file: an SQL file of 2.3 or a configuration of 2.4;
 * NULL for what the installed Dovecot has. Appends an object "dovecot" to the document.
 * False: no answer, complained about.
 */
bool dovecot_compare(struct tool *tool, struct inspect *db, const char *file,
		     const struct names *names, json_t *document);

/* ---- the report ---- */

/* Answers that differ, as JSON, and how many of them there are of each kind. */
struct ledger {
	json_t *changed, *differences;
	size_t harmless, unexplained;
};

struct ledger ledger_new(void);
void ledger_free(struct ledger *ledger);
/*
 * One answer to the key. stock and ours: NULL where it is "not found". reason: as
 * compare_reason() has it. changes: does it change anything for mail?
 */
void ledger_add(struct ledger *ledger, const char *map, const char *key, const char *stock,
		const char *ours, const char *reason, bool changes);
/* A line in a list of what changes for a name, in words. */
void ledger_add_line(json_t *lines, const char *name, const char *stock, const char *ours,
		     const char *numbers);

/* Prints the document for people. all: also what changes nothing, and whole values. */
void report_print(const json_t *document, bool all);

#endif
