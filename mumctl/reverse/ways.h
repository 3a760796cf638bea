/* SPDX-License-Identifier: MIT */
/* Every alias by which mail reaches a mailbox, found backwards and then proven forwards. */
#ifndef MUM_WAYS_H
#define MUM_WAYS_H

#include "common/arena.h"
#include "common/address.h"
#include "common/inspect.h"
#include "mumctl/reverse/unknown-names.h"
#include "mumctl/tool.h"

struct way {
	const char *alias;	/* as stored; or the role */
	enum address_form_kind kind;
	const char *expires;	/* its deactivate_at, or NULL */
	bool deferred;		/* Postfix cannot expand it: a loop, or a bad value */
	size_t count;		/* at least 1 */
	const char **path;	/* that alias, and those behind it in their order */
};

struct ways {
	bool receives;		/* mail to its own address arrives, perhaps by way of an alias */
	bool deferred;		/* as above, of its own address */
	size_t count;
	struct way *items;	/* by alias */
	struct arena arena;	/* owns all of it */
};

/*
 * mailbox: one that accepts mail, as stored. db: of role Postfix. unknown may be NULL if
 * mum.conf has neither roles nor catch-alls. False sets the error. The caller clears ways_r
 * in either case.
 */
bool ways_find(struct tool *tool, struct inspect *db, struct unknown_names *unknown,
	       const char *mailbox, struct ways *ways_r, struct inspect_error *error_r);
void ways_clear(struct ways *ways);

/*
 * Does Postfix fail to expand what stands behind an address, as in struct way? False also
 * if the database gives no answer.
 */
bool ways_are_deferred(struct tool *tool, const char *address);

#endif
