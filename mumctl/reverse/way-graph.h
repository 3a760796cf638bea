/* SPDX-License-Identifier: MIT */
/*
 * Where mail goes from one name to the next: the shortest way from each to one mailbox, and
 * the names whose mail Postfix defers. Pure.
 */
#ifndef MUM_WAY_GRAPH_H
#define MUM_WAY_GRAPH_H

#include <stdbool.h>
#include <stddef.h>

enum { WAY_GRAPH_NOTHING = -1 };

struct way_graph;

struct way_graph *way_graph_new(void);
void way_graph_free(struct way_graph **graph);	/* sets NULL */

/* A name; the first one is 0. */
size_t way_graph_add(struct way_graph *graph);
/* Mail to one name goes on to another one. */
void way_graph_lead(struct way_graph *graph, size_t from, size_t to);
/* It arrives in the mailbox. */
void way_graph_arrive(struct way_graph *graph, size_t node);
/*
 * The name is its own recipient. Postfix expands such a name only once, so a loop by way of
 * it ends.
 */
void way_graph_keep_copy(struct way_graph *graph, size_t node);
/* Postfix defers mail to it, and with it mail to each name that leads here. */
void way_graph_defer(struct way_graph *graph, size_t node);

/* Call it once, between those above and below. */
void way_graph_solve(struct way_graph *graph);
bool way_graph_arrives(const struct way_graph *graph, size_t node);
/* The next name on the way, if it arrives; WAY_GRAPH_NOTHING: the mailbox itself. */
long way_graph_next(const struct way_graph *graph, size_t node);
/* Does it lead into a loop, or to a name that was given to way_graph_defer()? */
bool way_graph_is_deferred(const struct way_graph *graph, size_t node);

#endif
