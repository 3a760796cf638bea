/* SPDX-License-Identifier: MIT */
/* Which names MUM does not know: a catch-all may get their mail. */
#ifndef MUM_UNKNOWN_NAMES_H
#define MUM_UNKNOWN_NAMES_H

#include "common/config.h"
#include "common/inspect.h"

/*
 * A name in the domain that MUM does not know, and that is no role, as mail is sent to it.
 * is_known: does a mailbox or an alias have this folded name? Caller frees.
 */
typedef bool is_known_fn(const char *name, void *arg);
char *unknown_name_pick(const char *domain, const struct mum_config *config,
			is_known_fn *is_known, void *arg);

struct unknown_names;

/* Reads all domains. db and config must outlive it. NULL sets the error. */
struct unknown_names *unknown_names_new(struct inspect *db, const struct mum_config *config,
					struct inspect_error *error_r);
void unknown_names_free(struct unknown_names **names);	/* sets NULL; NULL is fine */

/* Is it an active one of MUM's, in any spelling? */
bool unknown_names_is_ours(const struct unknown_names *names, const char *domain);
/* Calls fn with each active domain, folded. */
typedef void active_domain_fn(const char *domain, void *arg);
void unknown_names_each_domain(const struct unknown_names *names, active_domain_fn *fn,
			       void *arg);

/* The next unknown_names_read() reads what is known of the domain; stored: as it is stored. */
void unknown_names_want(struct unknown_names *names, const char *stored);
/* Reads what is wanted and not yet read, in one statement. False sets the error. */
bool unknown_names_read(struct unknown_names *names, struct inspect_error *error_r);
/* Is this folded name nobody's, in a domain that was read? */
bool unknown_names_has(const struct unknown_names *names, const char *name);
/* As unknown_name_pick(), in a domain that was read. */
char *unknown_names_pick(const struct unknown_names *names, const char *domain);

#endif
