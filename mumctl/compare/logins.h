/* SPDX-License-Identifier: MIT */
/* What Dovecot gets for one login: from stock's queries, and from the module. */
#ifndef MUM_COMPARE_LOGINS_H
#define MUM_COMPARE_LOGINS_H

#include "mumctl/compare/stock-queries.h"
#include "mumctl/tool.h"

enum login {
	LOGIN_UNKNOWN,
	LOGIN_REFUSED,
	LOGIN_ACCEPTED,
	LOGIN_UNREADABLE,	/* the scheme cannot read the hash: 2.4 fails for now */
	LOGIN_FAILS
};
enum mail { MAIL_NONE, MAIL_FOUND, MAIL_FAILS };

/* What one side answers. */
struct side {
	enum dovecot_generation generation;
	enum login login;
	enum mail mail;
	char *fields[FIELDS_MAX];	/* with MAIL_FOUND; NULL: it does not have this one */
	char *user;		/* ours: the stored name, or NULL */
	/* Why LOGIN_REFUSED or MAIL_FAILS; NULL if stock cannot verify the hash. */
	const char *why;
	struct arena arena;	/* what why may be in */
	bool send_only;
};

/* False: no answer, and it has complained. Call side_clear() in any case. */
bool side_ask_stock(const struct stock_queries *queries, const char *user,
		    struct side *side_r);
bool side_ask_ours(struct tool *tool, enum dovecot_generation generation, const char *user,
		   struct side *side_r);
void side_clear(struct side *side);

#endif
