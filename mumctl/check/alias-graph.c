/* SPDX-License-Identifier: MIT */
#include "mumctl/check/alias-graph.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/address-fallback.h"
#include "common/buf.h"
#include "common/keyed-hash.h"
#include "common/xalloc.h"

enum { LOOP_SHOWN = 8 };

/* In each walk an alias goes through all of them, in this order. */
enum node_state { NODE_NEW, NODE_ON_PATH, NODE_DONE };

struct node {
	UT_hash_handle hh;
	struct alias_told told;
	size_t targets_count;
	char **targets;		/* recipients, as stored */
	bool keeps_copy;	/* it is its own recipient */
	enum node_state state;
	struct node *from;	/* the node before it on the path */
	bool grows;		/* the step from there adds an extension */
	size_t at;		/* the target that comes next */
	char key[];		/* folded address */
};

struct alias_graph {
	struct alias_graph_settings settings;
	struct keyed_hash hash;
	struct node *nodes;
	alias_loop_fn *on_loop;
	void *arg;
};

struct alias_graph *alias_graph_new(const struct alias_graph_settings *settings)
{
	struct alias_graph *graph = xcalloc(1, sizeof(*graph));

	graph->settings = *settings;
	keyed_hash_init(&graph->hash);
	return graph;
}

void alias_graph_free(struct alias_graph **_graph)
{
	struct alias_graph *graph = *_graph;
	struct node *node, *next;

	*_graph = NULL;
	HASH_ITER(hh, graph->nodes, node, next) {
		HASH_DELETE(hh, graph->nodes, node);
		for (size_t i = 0; i < node->targets_count; i++)
			free(node->targets[i]);
		free(node->targets);
		free((char *)node->told.id);
		free(node);
	}
	free(graph);
}

static struct node *find(const struct alias_graph *graph, const char *key)
{
	struct node *node;

	KEYED_FIND(graph->nodes, &graph->hash, key, strlen(key), node);
	return node;
}

bool alias_graph_add(struct alias_graph *graph, const struct address *alias, const char *id,
		     const char *const *recipients, size_t count)
{
	char *key = address_form_text(alias, 0);
	bool keeps_copy = false;
	struct node *node;

	/* No mail has a catch-all, "@domain", as its recipient. */
	for (size_t i = 0; i < count && !keeps_copy; i++)
		keeps_copy = *key != '@' && address_is_same(recipients[i], key);
	if (find(graph, key) == NULL) {
		KEYED_ADD(graph->nodes, &graph->hash, key, strlen(key), node, key);
		node->told = (struct alias_told){ .id = xstrdup(id), .name = node->key };
		node->keeps_copy = keeps_copy;
		node->targets = xcalloc(count, sizeof(node->targets[0]));
		for (size_t i = 0; i < count; i++)
			node->targets[node->targets_count++] = xstrdup(recipients[i]);
	}
	free(key);
	return keeps_copy;
}

static void set_state(struct node *node, enum node_state state)
{
	assert(state == NODE_NEW || state == node->state + 1);
	node->state = state;
}

static void tell_loop(const struct alias_graph *graph, const struct node *first,
		      const struct node *last)
{
	struct buf text = BUF_INIT((LOOP_SHOWN + 2) * 2048);
	const struct node *node = last;
	char *way;

	buf_printf(&text, "<%s>", first->key);
	for (int i = 0; node != first && i < LOOP_SHOWN; i++, node = node->from)
		buf_printf(&text, " <- <%s>", node->key);
	buf_printf(&text, node != first ? " <- ... <- <%s>" : " <- <%s>", first->key);
	way = buf_steal(&text);
	graph->on_loop(&first->told, way, graph->arg);
	free(way);
}

/*
 * Where mail to this recipient goes: the first alias in the order in which mumd
 * searches. NULL if it goes to no alias.
 */
static struct node *follow(const struct alias_graph *graph, const char *target, bool *grows_r)
{
	struct address *address =
		*target == '@' ? address_new_catch_all(target + 1)
			       : address_new(ADDRESS_MAIL, target, strlen(target),
					     graph->settings.recipient_delimiter);
	struct node *next = NULL;

	*grows_r = false;
	for (size_t i = 0; address != NULL && next == NULL && i < address->forms_count; i++) {
		char *key = address_form_text(address, i);

		next = find(graph, key);
		*grows_r = next != NULL && *address->forms[i].extension != '\0' &&
			   graph->settings.propagate_extension;
		free(key);
	}
	address_unref(&address);
	return next;
}

/*
 * Adds what the node's last target leads to: so many recipients, by so many aliases in a
 * row. node may be NULL. This counts as cleanup_map1n.c does: only the first recipient of
 * an alias takes its place in the row; each other one begins a new row.
 */
static void add_target(const struct alias_graph *graph, struct node *node,
		       size_t recipients, size_t depth)
{
	if (node == NULL)
		return;
	node->told.expansion += recipients;
	if (node->told.expansion > graph->settings.expansion_limit)
		node->told.expansion = graph->settings.expansion_limit + 1;
	if (node->at == 1)
		node->told.depth = depth + 1;
}

/* Does the loop keep a copy, and add an extension in each turn? */
static bool is_growing_copy(const struct node *first, const struct node *last, bool grows)
{
	bool copy = first->keeps_copy;

	for (const struct node *node = last; node != first; node = node->from) {
		copy = copy || node->keeps_copy;
		grows = grows || node->grows;
	}
	return copy && grows;
}

/*
 * A walk in depth without recursion, because the path may be as long as the table.
 * copies: also by way of aliases that keep a copy.
 */
static void walk(const struct alias_graph *graph, struct node *root, bool copies)
{
	struct node *node = root;

	set_state(node, NODE_ON_PATH);
	while (node != NULL) {
		struct node *next;
		bool grows;

		if (node->at == node->targets_count) {
			set_state(node, NODE_DONE);
			add_target(graph, node->from, node->told.expansion, node->told.depth);
			node = node->from;
			continue;
		}
		next = follow(graph, node->targets[node->at++], &grows);
		if (next == NULL || next->state == NODE_DONE || (next->keeps_copy && !copies)) {
			add_target(graph, node, next == NULL ? 1 : next->told.expansion,
				   next == NULL ? 0 : next->told.depth);
		} else if (next->state == NODE_ON_PATH) {
			add_target(graph, node, 1, 0);
			if (!copies || is_growing_copy(next, node, grows))
				tell_loop(graph, next, node);
		} else {
			set_state(next, NODE_ON_PATH);
			next->from = node;
			next->grows = grows;
			node = next;
		}
	}
}

static void walk_all(const struct alias_graph *graph, bool copies)
{
	struct node *node, *next;

	HASH_ITER(hh, graph->nodes, node, next) {
		set_state(node, NODE_NEW);
		node->from = NULL;
		node->told.expansion = node->told.depth = 0;
		node->at = 0;
	}
	HASH_ITER(hh, graph->nodes, node, next) {
		if (node->state == NODE_NEW)
			walk(graph, node, copies);
	}
}

/*
 * Postfix's cleanup(8) expands an address that is its own recipient only once, so a
 * loop ends there, unless each time around adds an extension: then it is another
 * address. The second walk goes by way of all aliases, so its counts stay.
 */
void alias_graph_walk(struct alias_graph *graph, alias_loop_fn *on_loop,
		      alias_told_fn *on_alias, void *arg)
{
	graph->on_loop = on_loop;
	graph->arg = arg;
	walk_all(graph, false);
	walk_all(graph, true);
	for (const struct node *node = graph->nodes; node != NULL; node = node->hh.next)
		on_alias(&node->told, arg);
}
