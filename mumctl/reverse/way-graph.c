/* SPDX-License-Identifier: MIT */
#include "mumctl/reverse/way-graph.h"

#include <stdlib.h>

#include "common/xalloc.h"

/* What spreads from a name to each that leads to it. */
enum truth { ARRIVES, DEFERRED, TRUTHS };

struct node {
	bool is[TRUTHS];
	bool copies;
	long next;
	size_t leaving;		/* edges that may be in a loop, to nodes that are left */
	size_t first;		/* of the edges that lead here, in graph->into */
};

struct edge {
	size_t from, to;
};

struct way_graph {
	size_t nodes_count, edges_count;
	struct node *nodes;
	struct edge *edges;
	size_t *into;		/* where each edge comes from, by where it leads */
	size_t *line;		/* nodes that wait for their turn */
};

struct way_graph *way_graph_new(void)
{
	return xcalloc(1, sizeof(struct way_graph));
}

void way_graph_free(struct way_graph **_graph)
{
	struct way_graph *graph = *_graph;

	*_graph = NULL;
	free(graph->nodes);
	free(graph->edges);
	free(graph->into);
	free(graph->line);
	free(graph);
}

size_t way_graph_add(struct way_graph *graph)
{
	graph->nodes = xgrow(graph->nodes, graph->nodes_count, sizeof(*graph->nodes));
	graph->nodes[graph->nodes_count] = (struct node){ .next = WAY_GRAPH_NOTHING };
	return graph->nodes_count++;
}

void way_graph_lead(struct way_graph *graph, size_t from, size_t to)
{
	graph->edges = xgrow(graph->edges, graph->edges_count, sizeof(*graph->edges));
	graph->edges[graph->edges_count++] = (struct edge){ from, to };
}

void way_graph_arrive(struct way_graph *graph, size_t node)
{
	graph->nodes[node].is[ARRIVES] = true;
}

void way_graph_keep_copy(struct way_graph *graph, size_t node)
{
	graph->nodes[node].copies = true;
}

void way_graph_defer(struct way_graph *graph, size_t node)
{
	graph->nodes[node].is[DEFERRED] = true;
}

/* ---- backwards ---- */

static void index_edges(struct way_graph *graph)
{
	size_t sum = 0;

	graph->into = xcalloc(graph->edges_count + 1, sizeof(*graph->into));
	graph->line = xcalloc(graph->nodes_count + 1, sizeof(*graph->line));
	for (size_t i = 0; i < graph->edges_count; i++)
		graph->nodes[graph->edges[i].to].first++;
	for (size_t i = 0; i < graph->nodes_count; i++) {
		sum += graph->nodes[i].first;
		graph->nodes[i].first = sum;
	}
	for (size_t i = graph->edges_count; i-- > 0; )
		graph->into[--graph->nodes[graph->edges[i].to].first] = graph->edges[i].from;
}

static size_t end_of(const struct way_graph *graph, size_t node)
{
	return node + 1 < graph->nodes_count ? graph->nodes[node + 1].first
					     : graph->edges_count;
}

static void spread(struct way_graph *graph, enum truth what)
{
	size_t count = 0;

	for (size_t i = 0; i < graph->nodes_count; i++) {
		if (graph->nodes[i].is[what])
			graph->line[count++] = i;
	}
	for (size_t at = 0; at < count; at++) {
		size_t to = graph->line[at];

		for (size_t i = graph->nodes[to].first; i < end_of(graph, to); i++) {
			struct node *from = &graph->nodes[graph->into[i]];

			if (from->is[what])
				continue;
			from->is[what] = true;
			if (what == ARRIVES)
				from->next = (long)to;
			graph->line[count++] = graph->into[i];
		}
	}
}

/* No name in a loop keeps a copy. */
static bool may_loop(const struct way_graph *graph, const struct edge *edge)
{
	return !graph->nodes[edge->from].copies && !graph->nodes[edge->to].copies;
}

/*
 * Again and again removes each name that leads to none of the rest. What is left leads into
 * a loop.
 */
static void find_loops(struct way_graph *graph)
{
	size_t count = 0;

	for (size_t i = 0; i < graph->edges_count; i++)
		graph->nodes[graph->edges[i].from].leaving += may_loop(graph, &graph->edges[i]);
	for (size_t i = 0; i < graph->nodes_count; i++) {
		if (graph->nodes[i].leaving == 0)
			graph->line[count++] = i;
	}
	for (size_t at = 0; at < count; at++) {
		size_t to = graph->line[at];

		for (size_t i = graph->nodes[to].first; i < end_of(graph, to); i++) {
			const struct edge edge = { graph->into[i], to };

			if (may_loop(graph, &edge) && --graph->nodes[edge.from].leaving == 0)
				graph->line[count++] = edge.from;
		}
	}
	for (size_t i = 0; i < graph->nodes_count; i++)
		graph->nodes[i].is[DEFERRED] |= graph->nodes[i].leaving > 0;
}

void way_graph_solve(struct way_graph *graph)
{
	index_edges(graph);
	spread(graph, ARRIVES);
	find_loops(graph);
	spread(graph, DEFERRED);
}

bool way_graph_arrives(const struct way_graph *graph, size_t node)
{
	return graph->nodes[node].is[ARRIVES];
}

long way_graph_next(const struct way_graph *graph, size_t node)
{
	return graph->nodes[node].next;
}

bool way_graph_is_deferred(const struct way_graph *graph, size_t node)
{
	return graph->nodes[node].is[DEFERRED];
}
