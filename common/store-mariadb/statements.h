/* SPDX-License-Identifier: MIT */
/*
 * The SQL of each question for MariaDB and MySQL, as a template for
 * collations_fill(). Columns: common/columns.h.
 */
#ifndef MUM_STORE_MARIADB_STATEMENTS_H
#define MUM_STORE_MARIADB_STATEMENTS_H

#include "common/facts.h"

enum statement_param {
	PARAM_END,
	PARAM_PAIRS,	/* JSON: [["local part", "domain"], ...] */
	PARAM_LOCAL,	/* of the only pair */
	PARAM_DOMAIN,
	PARAM_NOW,	/* "YYYY-MM-DD HH:MM:SS" in MUM's time zone */
	PARAM_AFTER	/* the id before the page, decimal */
};

enum { PARAMS_MAX = 6 };

/* For a single pair, the same rows cost the server half as much without JSON. */
enum statement_shape { SHAPE_MANY, SHAPE_ONE, STATEMENT_SHAPES };

struct statement {
	struct {
		const char *sql;	/* NULL: no such shape */
		enum statement_param params[PARAMS_MAX];	/* up to PARAM_END */
	} shapes[STATEMENT_SHAPES];
	unsigned columns;
};

extern const struct statement statements[MUM_QUESTIONS];

#endif
