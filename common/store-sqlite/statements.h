/* SPDX-License-Identifier: MIT */
/*
 * The SQL of each question for SQLite. mum_fold_local() and mum_fold_domain() are
 * functions of ours. Columns: common/columns.h.
 */
#ifndef MUM_STORE_SQLITE_STATEMENTS_H
#define MUM_STORE_SQLITE_STATEMENTS_H

#include "common/facts.h"

struct sqlite_statement {
	const char *sql;	/* ?1: pairs, ?2: now, ?3: id before the page */
	int columns;
};

extern const struct sqlite_statement sqlite_statements[MUM_QUESTIONS];

#endif
