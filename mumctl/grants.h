/* SPDX-License-Identifier: MIT */
/* The columns that each program's statements name, as in conf-examples/grants.sql. */
#ifndef MUM_GRANTS_H
#define MUM_GRANTS_H

#include "common/config.h"

struct grant {
	enum mum_role role;
	const char *table, *columns;	/* columns: separated by ", " */
	const char *besides;	/* for mumctl check alone, which does without; or NULL */
};

enum { GRANTS = 8 };

extern const struct grant grants[GRANTS];

/* The statement that gives it, without a semicolon. account: 'user'@'host'. Caller frees. */
char *grant_statement(const struct grant *grant, const char *database, const char *account);

#endif
