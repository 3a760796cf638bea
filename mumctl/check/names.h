/* SPDX-License-Identifier: MIT */
/*
 * All names of MUM in memory, folded, for findings that compare many addresses with all
 * of them. This takes some hundred bytes for each mailbox and alias.
 */
#ifndef MUM_CHECK_NAMES_H
#define MUM_CHECK_NAMES_H

#include "common/states.h"

struct check;
struct mum_config;
struct names;

/* NULL if they cannot be read: a finding says so. */
struct names *names_load(const struct check *check);
void names_free(struct names **names);	/* sets NULL; NULL is fine */

/*
 * The alias has recipients, and none of them takes mail. mumd looks only at an alias's own
 * recipients, so a dead alias counts as live until names_forget_dead().
 */
void names_mark_dead(struct names *names, const struct address *alias);
void names_forget_dead(struct names *names);

enum domain_state names_domain(const struct names *names, const struct address *address);

/* What the database would answer to MUM_NAME about the address. Caller frees. */
struct facts *names_facts(const struct names *names, const struct address *address);
/* Completes facts of MUM_DELIVERY about the address "of", as common/recipients.h does. */
void names_complete(const struct names *names, const struct mum_config *config,
		    const struct address *of, struct facts *facts);

/* Calls fn with each active domain that has a mailbox or an alias. */
typedef void names_domain_fn(const char *domain, void *arg);
void names_each_domain(const struct names *names, names_domain_fn *fn, void *arg);

#endif
