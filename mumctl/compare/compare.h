/* SPDX-License-Identifier: MIT */
/* The parts of mumctl compare: stock's answers, the number of each difference, the report. */
#ifndef MUM_COMPARE_H
#define MUM_COMPARE_H

#include <stdio.h>

#include "common/inspect.h"
#include "mumctl/compare/effects.h"
#include "mumctl/compare/names.h"
#include "mumctl/postfix.h"
#include "mumctl/tool.h"

/* ---- stock: what postmap(1) says of one mysql: file ---- */

struct stock;

/*
 * Asks postmap about every line of the keys file. NULL when it cannot be asked, or
 * fails: why is on standard error.
 */
struct stock *stock_ask(const char *mysql_file, FILE *keys);
/* The value; NULL when it was not found. Valid until stock_free(). */
const char *stock_find(const struct stock *stock, const char *key);
/*
 * The form of the address (names_add_forms()) under which Postfix, which tries one after
 * the other, finds a value; NULL when it finds none. Caller frees.
 */
char *stock_search(const struct stock *stock, const char *key, const char *delimiters);
void stock_free(struct stock **stock);	/* sets NULL; NULL is fine */

/* ---- twins: what the server's collation takes for equal, and we do not ---- */

/*
 * Has MUM's query for this map a row to find under the key that is another name? db:
 * of MariaDB; NULL finds nothing. Sets *failed when the server gives no answer.
 */
bool twin_exists(struct inspect *db, enum socketmap_number map, const char *key, bool *failed);
/* The same of any row, of whatever spelling, under the key as it is. */
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

/* Appends an object "senders" to the document. False: no answer, complained about. */
bool senders_compare(struct tool *tool, const struct stock *stock, const struct sents *sents,
		     bool has_log, json_t *document);

/* ---- Dovecot: the queries of an SQL file against the module ---- */

/*
 * Compares each name that is a login. Appends an object "dovecot" to the document.
 * False: no answer, complained about.
 */
bool dovecot_compare(struct tool *tool, struct inspect *db, const char *sql_file,
		     const struct names *names, json_t *document);

/* ---- the report ---- */

/* Prints the document for people. all: also what changes nothing, and whole values. */
void report_print(const json_t *document, bool all);

#endif
