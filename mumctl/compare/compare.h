/* SPDX-License-Identifier: MIT */
/* The parts of mumctl compare: stock's answers, and the number of each difference. */
#ifndef MUM_COMPARE_H
#define MUM_COMPARE_H

#include "common/inspect.h"
#include "mumctl/as-mumd.h"
#include "mumctl/compare/effects.h"
#include "mumctl/compare/names.h"
#include "mumctl/compare/numbers.h"
#include "mumctl/compare/report.h"
#include "mumctl/tool.h"

/* ---- stock: what postmap(1) says of one mysql: file ---- */

struct stock;

/*
 * Asks postmap about the names of these kinds. NULL if postmap cannot run or fails: it has
 * complained.
 */
struct stock *stock_ask(const char *mysql_file, const struct names *names, unsigned kinds);
/* The value; NULL if not found. Valid until stock_free(). */
const char *stock_find(const struct stock *stock, const char *key);
/*
 * The first form of the address, in the order in which Postfix tries them, that has a value
 * (see names_add_forms()); NULL if none has. Caller frees.
 */
char *stock_search(const struct stock *stock, const char *key, const char *delimiters);
void stock_free(struct stock **stock);	/* sets NULL; NULL is fine */

/*
 * Complains that a file cannot be opened (errno), and what follows from it. True if the file
 * is missing, which an admin may want; false if it is there and cannot be read.
 */
bool stock_complain_missing(const char *file, const char *what);

/* ---- twins: what the server's collation takes for equal, and we do not ---- */

/*
 * Does MUM's query for this map find another name under the key? db: of MariaDB; NULL
 * finds nothing. Sets *failed if the server gives no answer.
 */
bool twin_exists(struct inspect *db, enum socketmap_number map, const char *key, bool *failed);
/* The same for any name, but only under the key as it is. */
bool twin_is_found(struct inspect *db, enum socketmap_number map, const char *key,
		   bool *failed);

/* ---- reasons ---- */

/*
 * The entries of doc/differences.md that explain why the two answers differ, as "D6 D9";
 * "" if they are the same; "?" if no entry does. stock: NULL if not found. ours: what the
 * map makes of asked. Asks the database for more; false if that gives no answer. For an
 * address, compare prints the entries of the maps that decide about its mail (numbers.h).
 */
bool compare_reason(struct tool *tool, struct inspect *db, enum socketmap_number map,
		    const char *key, const char *stock, const struct asked *asked,
		    const struct map_reply *ours, char reason[NUMBERS_SIZE]);

/* ---- one name ---- */

struct compare {
	struct tool *tool;
	struct inspect *db;		/* the first host that answers; NULL when none does */
	const char *delimiters;
	struct names names;
	struct sents sents;
	struct stock *stock[SOCKETMAP_MAPS];	/* NULL: there is no file */
	struct ledger ledger;
	json_t *owners;			/* lines about senders */
	size_t compared, names_compared, names_changed;
	bool failed;
};

/* NAME_IS_...: the names that are keys of this map. */
unsigned subject_kinds(enum socketmap_number map);
/*
 * Asks both sides about the name, and adds to the ledger what differs, why, and what that
 * changes. Without an answer it complains and sets failed.
 */
void subject_compare(struct compare *compare, const struct name *name);

/* ---- senders: who may send as what ---- */

/* Appends an object "senders" to the document. False: no answer, and it has complained. */
bool senders_compare(struct tool *tool, const struct stock *stock, const struct sents *sents,
		     bool has_log, json_t *document);

/* ---- Dovecot: its queries against the module ---- */

/*
 * Compares each name that is a login. file: an SQL file of 2.3 or a configuration of 2.4;
 * NULL for what the installed Dovecot has. Appends an object "dovecot" to the document.
 * False: no answer, and it has complained.
 */
bool dovecot_compare(struct tool *tool, struct inspect *db, const char *file,
		     const struct names *names, json_t *document);

#endif
