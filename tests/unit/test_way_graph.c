/* SPDX-License-Identifier: MIT */
/* Ways to a mailbox, and loops: small graphs as text, and random ones against a plain search. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "common/buf.h"
#include "common/xalloc.h"
#include "mumctl/reverse/way-graph.h"

/*
 * "ab" leads from a to b; "a!" arrives, "a=" keeps a copy, "a?" is deferred. way: for each
 * node the rest of its way, or "-" when there is none; '*' marks those that are deferred.
 */
static const struct {
	const char *name, *edges, *ways;
} cases[] = {
	{ "nothing", "", "" },
	{ "an end", "a!", "a" },
	{ "one that leads nowhere", "a! bc", "a - -" },
	{ "two in a row", "ab bc c!", "abc bc c" },
	{ "the shorter way", "ab bc ad d! c!", "ad bc c d" },
	{ "two that lead to each other", "ab ba b!", "ab* b*" },
	{ "one that leads to itself by another spelling", "aa a!", "a*" },
	{ "before a loop and beside it", "ab bc cb c! d!", "abc* bc* c* d" },
	{ "a loop on a side way", "ab b! ac cd dc", "ab* b -* -*" },
	{ "a copy ends a loop", "ab ba a= a! b!", "a b" },
	{ "a copy that leads into a loop", "ab bc cb a= a!", "a* -* -*" },
	{ "a loop that a copy is beside", "ab ba aa a= bc cb b!", "ab* b* cb*" },
	{ "what cannot be handed out", "ab b? b! c! ca", "ab* b* c*" },
};

static void put_ways(struct buf *out, const struct way_graph *graph, size_t nodes)
{
	for (size_t i = 0; i < nodes; i++) {
		buf_puts(out, i > 0 ? " " : "");
		if (!way_graph_arrives(graph, i))
			buf_puts(out, "-");
		for (long at = (long)i; way_graph_arrives(graph, i) && at != WAY_GRAPH_NOTHING;
		     at = way_graph_next(graph, (size_t)at))
			buf_printf(out, "%c", (char)('a' + at));
		buf_puts(out, way_graph_is_deferred(graph, i) ? "*" : "");
	}
}

static size_t node_of(struct way_graph *graph, size_t *nodes, char letter)
{
	size_t node = (size_t)(letter - 'a');

	while (*nodes <= node)
		*nodes = way_graph_add(graph) + 1;
	return node;
}

static void test_graphs(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, cases) {
		struct way_graph *graph = way_graph_new();
		struct buf out = BUF_INIT(4096);
		size_t nodes = 0;
		char *text;

		for (const char *at = row->edges; *at != '\0'; at += at[2] == ' ' ? 3 : 2) {
			size_t from = node_of(graph, &nodes, at[0]);

			switch (at[1]) {
			case '!': way_graph_arrive(graph, from); break;
			case '=': way_graph_keep_copy(graph, from); break;
			case '?': way_graph_defer(graph, from); break;
			default:
				way_graph_lead(graph, from, node_of(graph, &nodes, at[1]));
			}
		}
		way_graph_solve(graph);
		put_ways(&out, graph, nodes);
		text = buf_steal(&out);
		WANT_TEXT(row->name, text, row->ways);
		free(text);
		way_graph_free(&graph);
	}
}

/* ---- random graphs ---- */

enum { NODES = 7, EDGES = 9, GRAPHS = 20000 };

struct plain {
	bool edge[NODES][NODES], end[NODES], copies[NODES];
	unsigned distance[NODES][NODES];	/* NODES + 1: none */
};

static void measure(struct plain *plain, bool loops)
{
	for (int i = 0; i < NODES; i++)
		for (int j = 0; j < NODES; j++) {
			bool may = plain->edge[i][j] &&
				   !(loops && (plain->copies[i] || plain->copies[j]));

			plain->distance[i][j] = may ? 1 : NODES + 1;
		}
	for (int k = 0; k < NODES; k++)
		for (int i = 0; i < NODES; i++)
			for (int j = 0; j < NODES; j++) {
				unsigned by = plain->distance[i][k] + plain->distance[k][j];

				if (by < plain->distance[i][j])
					plain->distance[i][j] = by;
			}
}

static void compare(struct plain *plain, const struct way_graph *graph)
{
	bool loops[NODES];

	measure(plain, true);
	for (int i = 0; i < NODES; i++)
		loops[i] = plain->distance[i][i] <= NODES;
	measure(plain, false);
	for (size_t i = 0; i < NODES; i++) {
		unsigned nearest = plain->end[i] ? 0 : NODES + 1, steps = 0;
		bool deferred = loops[i];

		for (size_t j = 0; j < NODES; j++) {
			if (plain->end[j] && plain->distance[i][j] < nearest)
				nearest = plain->distance[i][j];
			deferred = deferred || (loops[j] && plain->distance[i][j] <= NODES);
		}
		assert_int_equal(way_graph_arrives(graph, i), nearest <= NODES);
		assert_int_equal(way_graph_is_deferred(graph, i), deferred);
		for (long at = way_graph_next(graph, i); at != WAY_GRAPH_NOTHING;
		     at = way_graph_next(graph, (size_t)at))
			steps++;
		assert_int_equal(steps, nearest <= NODES ? nearest : 0);
	}
}

static void test_random_graphs(void **state)
{
	(void)state;
	srand(1);
	for (int turn = 0; turn < GRAPHS; turn++) {
		struct way_graph *graph = way_graph_new();
		struct plain plain = { .edge = { { false } } };

		for (size_t i = 0; i < NODES; i++) {
			(void)way_graph_add(graph);
			plain.end[i] = rand() % 4 == 0;
			plain.copies[i] = rand() % 4 == 0;
			if (plain.end[i])
				way_graph_arrive(graph, i);
			if (plain.copies[i])
				way_graph_keep_copy(graph, i);
		}
		for (int i = rand() % EDGES; i > 0; i--) {
			size_t from = (size_t)rand() % NODES, to = (size_t)rand() % NODES;

			plain.edge[from][to] = true;
			way_graph_lead(graph, from, to);
		}
		way_graph_solve(graph);
		compare(&plain, graph);
		way_graph_free(&graph);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_graphs),
		UNIT_TEST(test_random_graphs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
