/* SPDX-License-Identifier: MIT */
/*
 * Who leads to whom: the aliases that take mail, as a graph, and what cleanup(8) of Postfix
 * makes of it. Pure: it is given names, and tells of loops and of numbers.
 */
#ifndef MUM_ALIAS_GRAPH_H
#define MUM_ALIAS_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"

struct alias_graph;

struct alias_graph_settings {
	const char *recipient_delimiter;	/* outlives the graph */
	bool propagate_extension;	/* does a recipient get the alias's extension? */
	size_t expansion_limit;		/* recipients are counted up to this and one more */
};

struct alias_graph *alias_graph_new(const struct alias_graph_settings *settings);
void alias_graph_free(struct alias_graph **graph);	/* sets NULL */

/*
 * An alias and its recipients. id: for alias_told. True if it is its own recipient: the
 * usual way to keep a copy. Of two with one name the first counts. A catch-all is an alias
 * named "@domain", and a recipient only if a recipient has that name.
 */
bool alias_graph_add(struct alias_graph *graph, const struct address *alias, const char *id,
		     const char *const *recipients, size_t count);

/* What is told of an alias. */
struct alias_told {
	const char *id, *name;	/* name: folded */
	size_t expansion;	/* recipients in the end, those of other aliases included */
	size_t depth;		/* aliases in a row: this one, its first recipient, and so on */
};

/* way: "<a@x> <- <b@x> <- <a@x>", backwards; only the end of a long way. */
typedef void alias_loop_fn(const struct alias_told *first, const char *way, void *arg);
typedef void alias_told_fn(const struct alias_told *alias, void *arg);

/* Calls on_loop with each loop, then on_alias with each alias. Call it once. */
void alias_graph_walk(struct alias_graph *graph, alias_loop_fn *on_loop,
		      alias_told_fn *on_alias, void *arg);

#endif
