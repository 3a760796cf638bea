/* SPDX-License-Identifier: MIT */
/* Reads the rows of one domain into memory, by the readers of live traffic. */
#ifndef MUM_DOMAIN_ROWS_H
#define MUM_DOMAIN_ROWS_H

#include "common/arena.h"
#include "common/inspect.h"
#include "common/keyed-hash.h"
#include "mumctl/tool.h"

enum { DOMAIN_ROWS_NONE = -1 };

/* What one name has; user and first are numbers in facts. */
struct domain_entry {
	UT_hash_handle hh;
	const char *stored;	/* local@domain, of the mailbox or else of the alias */
	bool usable;		/* mail and logins can have the name; or it is the catch-all */
	bool catch_all;		/* of the domain, where address.catch_all is on */
	long user;		/* DOMAIN_ROWS_NONE: no mailbox */
	const char *alias, *expires;	/* as stored; NULL: none */
	bool expired;
	size_t first, count;	/* of its alias's deliveries */
	bool has_recipients;
	/* If either is true, we ask the database. */
	bool several;		/* the name is there more than once */
	bool ask;		/* the answer depends on other names */
	struct asked *asked;	/* the answer, if we asked; belongs to domain_names */
	char key[];		/* folded */
};

struct domain_rows {
	struct keyed_hash hash;
	struct domain_entry *entries;	/* by the order of their rows */
	struct facts *users;	/* of MUM_USER */
	struct facts *deliveries;	/* of MUM_DELIVERY, not complete */
	bool active;		/* is one of its spellings active? */
	struct address *address;	/* any name in the domain, which has one form */
	struct arena arena;
};

/*
 * db: of role Postfix; the mailboxes are read in role Dovecot beside it. domains: of
 * MUM_DOMAIN, all stored spellings of one domain. False sets the error: then db can only be
 * closed. Clear the rows in either case.
 */
bool domain_rows_read(struct tool *tool, struct inspect *db, const struct facts *domains,
		      struct domain_rows *rows_r, struct inspect_error *error_r);
void domain_rows_clear(struct domain_rows *rows);

/* NULL: nothing has the name. key: folded. */
struct domain_entry *domain_rows_find(const struct domain_rows *rows, const char *key);
/* What has the name of a form of an address in this domain; a role is not looked for. */
struct domain_entry *domain_rows_find_form(const struct domain_rows *rows,
					   const struct address *address, size_t form);
/* Puts the entry's mailbox beside its alias, as MUM_DELIVERY has it. */
void domain_rows_put_mailbox(const struct domain_rows *rows, const struct domain_entry *entry,
			     struct delivery_row *row);

#endif
