/* SPDX-License-Identifier: MIT */
/* All mailboxes and aliases of one domain, and what becomes of mail to each name. */
#ifndef MUM_DOMAIN_NAMES_H
#define MUM_DOMAIN_NAMES_H

#include "common/arena.h"
#include "common/inspect.h"
#include "common/rules-users.h"
#include "mumctl/tool.h"

struct domain_names;

/* A mailbox, by the rules of logins. */
struct domain_mailbox {
	const char *address;	/* as stored */
	enum mailbox_state state;
	enum mum_status status;	/* MUM_FOUND: Dovecot knows it, and the quota is set */
	const char *why;	/* static: why Dovecot cannot get it; or NULL */
	uint64_t quota_gb;	/* 0: no limit */
	enum quota_source quota_source;
};

/* A name, by the rules of mail. A catch-all stands for each name that MUM does not know. */
struct domain_name {
	enum address_form_kind kind;
	const char *alias;	/* as stored, or NULL; a role as ROLE@DOMAIN */
	const char *expires;	/* deactivate_at, or NULL */
	bool expired;
	size_t recipients_count;	/* those that get its mail */
	const char *const *recipients;
	const char *address;	/* as stored, of the mailbox or else of the alias */
	const char *refused;	/* why mail to it is refused; or NULL */
};

/*
 * domains: of MUM_DOMAIN, all stored spellings of one domain. Asks the database everything
 * that the functions below need. NULL sets the error.
 */
struct domain_names *domain_names_read(struct tool *tool, const struct facts *domains,
				       struct inspect_error *error_r);
void domain_names_free(struct domain_names **names);	/* sets NULL; NULL is fine */

/* By address; they live as long as the names. */
const struct domain_mailbox *domain_names_mailboxes(const struct domain_names *names,
						    size_t *count_r);
size_t domain_names_aliases(const struct domain_names *names);
/*
 * In the order of addresses: at least each name with an alias, and each whose mail is
 * refused. What fn gets is gone when it returns.
 */
typedef void domain_name_fn(const struct domain_name *name, void *arg);
void domain_names_each(const struct domain_names *names, domain_name_fn *fn, void *arg);
/* The roles that get mail here; returns how many. fn may be NULL. */
size_t domain_names_each_role(const struct domain_names *names, domain_name_fn *fn, void *arg);

#endif
