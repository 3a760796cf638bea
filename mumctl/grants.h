/* SPDX-License-Identifier: MIT */
/* What each program's statements need, as in conf-examples/grants.sql. */
#ifndef MUM_GRANTS_H
#define MUM_GRANTS_H

#include "common/config.h"

struct grant {
	enum mum_role role;
	const char *table;
	const char *columns;	/* that it reads, separated by ", "; NULL: it inserts rows */
	const char *besides;	/* for mumctl check alone, which does without; or NULL */
};

enum { GRANTS = 9 };

extern const struct grant grants[GRANTS];

/* The statement that gives it, without a semicolon. account: 'user'@'host'. Caller frees. */
char *grant_statement(const struct grant *grant, const char *database, const char *account);

/* config: of role MUM_ROLE_MEASURE, which is optional. Has it a user of its own? */
bool grants_has_measure(const struct mum_config *config);

#endif
