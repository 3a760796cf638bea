/* SPDX-License-Identifier: MIT */
/* The SQL of each question for MariaDB and MySQL. Columns: common/columns.h. */
#ifndef MUM_STORE_MARIADB_STATEMENTS_H
#define MUM_STORE_MARIADB_STATEMENTS_H

#include "common/facts.h"

enum statement_param {
	PARAM_END,
	PARAM_PAIRS,	/* JSON: [["local part", "domain"], ...] */
	PARAM_NOW,	/* "YYYY-MM-DD HH:MM:SS" in MUM's time zone */
	PARAM_AFTER	/* id before the page, decimal */
};

enum { PARAMS_MAX = 5 };

struct statement {
	const char *sql;
	enum statement_param params[PARAMS_MAX];	/* up to PARAM_END */
	unsigned columns;
};

extern const struct statement statements[MUM_QUESTIONS];

#endif
