/* SPDX-License-Identifier: MIT */
/* What each program needs for its statements, as in conf-examples/grants.sql. */
#ifndef MUM_GRANTS_H
#define MUM_GRANTS_H

#include "common/config.h"

struct grant {
	enum mum_role role;
	const char *table;
	const char *columns;	/* that it reads, separated by ", "; NULL: it inserts rows */
	const char *besides;	/* that only mumctl check reads, if it may; or NULL */
};

enum { GRANTS = 9 };

extern const struct grant grants[GRANTS];

/* The GRANT statement, without a semicolon. account: 'user'@'host'. Caller frees. */
char *grant_statement(const struct grant *grant, const char *database, const char *account);

/* Does mumctl measure, which is optional, have a user? config: of role MUM_ROLE_MEASURE. */
bool grants_has_measure(const struct mum_config *config);

#endif
