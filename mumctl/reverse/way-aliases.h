/* SPDX-License-Identifier: MIT */
/*
 * Backwards from a mailbox: a name leads to each alias that may have it as a recipient, too
 * many rather than too few. Roles are aliases here, though no table has them.
 */
#ifndef MUM_WAY_ALIASES_H
#define MUM_WAY_ALIASES_H

#include "common/address.h"
#include "common/arena.h"
#include "common/inspect.h"
#include "mumctl/reverse/unknown-names.h"
#include "mumctl/tool.h"

struct way_alias {
	const char *address, *expires;	/* as stored; of a role: ROLE@DOMAIN */
	enum address_form_kind kind;
};

struct way_aliases {
	size_t count;
	struct way_alias *items;	/* the arena's */
};

/*
 * db: of role Postfix. unknown may be NULL if mum.conf has neither roles nor catch-alls;
 * afterwards it knows the domains of all catch-alls. False sets the error.
 */
bool way_aliases_find(struct tool *tool, struct inspect *db, struct unknown_names *unknown,
		      const char *mailbox, struct arena *arena,
		      struct way_aliases *aliases_r, struct inspect_error *error_r);

#endif
