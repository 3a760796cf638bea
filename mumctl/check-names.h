/* SPDX-License-Identifier: MIT */
/*
 * All names of MUM at once, folded, for findings that compare many addresses with all
 * of them. Held in memory: some hundred bytes for each mailbox and alias.
 */
#ifndef MUM_CHECK_NAMES_H
#define MUM_CHECK_NAMES_H

#include "mumctl/check.h"

struct address;
struct names;

/* NULL when they cannot be read: reported. */
struct names *names_load(const struct check *check);
void names_free(struct names **names);	/* sets NULL; NULL is fine */

enum domain_state { DOMAIN_IS_FOREIGN, DOMAIN_IS_INACTIVE, DOMAIN_IS_OURS };

enum domain_state names_domain(const struct names *names, const struct address *address);

/* What mail to an address in an active domain of MUM's finds. */
enum name_state {
	NAME_IS_UNKNOWN,
	NAME_IS_LIVE,		/* an alias with recipients, or a mailbox that accepts mail */
	NAME_IS_SEND_ONLY,	/* a mailbox, as the next one */
	NAME_IS_INACTIVE,
	NAME_IS_DEAD_ALIAS	/* inactive, expired or without recipients, and no mailbox */
};

/* Each form of the address is searched, as for mail: aliases first, then mailboxes. */
enum name_state names_address(const struct names *names, const struct address *address);

/* Calls fn with each active domain that has a mailbox or an alias. */
typedef void names_domain_fn(const char *domain, void *arg);
void names_each_domain(const struct names *names, names_domain_fn *fn, void *arg);

/* The time as MUM compares deactivate_at with it, for SQL. Caller frees. */
char *names_now(const struct check *check);

#endif
