/* SPDX-License-Identifier: MIT */
/*
 * Forwards: follows each alias that may lead to the mailbox as Postfix does, by the rules
 * of live traffic. Only those that arrive count.
 */
#include "mumctl/reverse/ways.h"

#include <stdlib.h>
#include <string.h>

#include "common/keyed-hash.h"
#include "common/recipients.h"
#include "common/rules.h"
#include "mumctl/as-mumd.h"
#include "mumctl/reverse/ask.h"
#include "mumctl/reverse/way-aliases.h"
#include "mumctl/reverse/way-graph.h"

/* Bytes. A longer extension is part of no stored name: it grows without end. */
enum { EXTENSION_MAX = 4 * ADDRESS_PART_MAX };
/* Stops with an extension. Loops that add several can make very many combinations. */
enum { EXTENDED_MAX = 20000 };

/* An address that mail comes to. */
struct stop {
	UT_hash_handle hh;
	size_t node;
	const char *alias;	/* that has the address, as stored; NULL: none */
	enum address_form_kind kind;	/* of that alias */
	char key[];
};

struct finder {
	struct tool *tool;
	const struct unknown_names *unknown;
	const char *mailbox;
	struct inspect_error *error;
	struct recipients_settings settings;
	struct arena *arena;
	struct keyed_hash hash;
	struct way_aliases aliases;
	struct stop **starts;		/* of the aliases */
	struct stop *stops, *next_stop;	/* next_stop: the first that is not asked about */
	size_t extended;		/* stops at an alias, with an extension */
	struct way_graph *graph;
};

/* ---- forwards ---- */

static struct stop *stop_of(struct finder *finder, const char *key)
{
	struct stop *stop;

	KEYED_FIND(finder->stops, &finder->hash, key, strlen(key), stop);
	if (stop != NULL)
		return stop;
	KEYED_ADD(finder->stops, &finder->hash, key, strlen(key), stop, key);
	stop->node = way_graph_add(finder->graph);
	if (finder->next_stop == NULL)
		finder->next_stop = stop;
	return stop;
}

static struct stop *first_stop(struct finder *finder, const char *stored,
			       enum address_form_kind kind)
{
	char *key = kind == FORM_IS_CATCH_ALL ? unknown_names_pick(finder->unknown, stored + 1)
					      : ask_name(stored, "");
	struct stop *stop = stop_of(finder, key);

	free(key);
	return stop;
}

static void follow(struct finder *finder, const struct stop *stop,
		   const struct delivery_row *row, const char *extension)
{
	struct delivery_row next = *row;
	char *external, *key;

	if (address_is_same(row->stands_for, row->alias)) {
		way_graph_keep_copy(finder->graph, stop->node);
		if (address_is_same(row->mailbox, finder->mailbox))
			way_graph_arrive(finder->graph, stop->node);
		return;
	}
	if (!row->recipient_local && !row->behind.ours)
		return;
	next.stands_for = external = ask_name(row->stands_for, extension);
	key = recipient_name(&next, &finder->settings);
	way_graph_lead(finder->graph, stop->node, stop_of(finder, key)->node);
	free(key);
	free(external);
}

static void follow_all(struct finder *finder, struct stop *stop, const struct asked *asked,
		       const struct recipients *found)
{
	struct map_reply reply;
	bool endless;

	finder->extended += *found->extension != '\0';
	endless = strlen(found->extension) > EXTENSION_MAX || finder->extended > EXTENDED_MAX;
	stop->alias = arena_strdup(finder->arena, found->alias->alias);
	stop->kind = asked->answer.address->forms[found->alias->form].kind;
	mumd_answer_map(SOCKETMAP_ALIASES, asked, &reply);
	if (reply.bad_value || endless)
		way_graph_defer(finder->graph, stop->node);
	map_reply_free(&reply);
	for (size_t i = 0; !endless && i < found->count; i++)
		follow(finder, stop, recipient_row(asked->answer.facts[MUM_DELIVERY],
						   found->addresses[i]), found->extension);
}

static void judge(struct finder *finder, struct stop *stop, const struct asked *asked)
{
	struct arena arena = { NULL };
	struct recipients found;
	const struct delivery_row *row;

	if (rule_recipients(&asked->answer, &arena, &found) == MUM_FOUND)
		follow_all(finder, stop, asked, &found);
	else if (asked->answer.status == MUM_FOUND &&
		 rule_mailbox_state(&asked->answer, &row) == MAILBOX_IS_LIVE &&
		 address_is_same(row->mailbox, finder->mailbox))
		way_graph_arrive(finder->graph, stop->node);
	arena_free(&arena);
}

/* Judges all new stops, and may add further ones. */
static bool walk_level(struct finder *finder)
{
	struct questions questions = { .count = 0 };
	struct stop *first = finder->next_stop, *stop;
	size_t at = 0;
	bool good;

	for (stop = first; stop != NULL; stop = stop->hh.next)
		questions_add(&questions, xstrdup(stop->key));
	finder->next_stop = NULL;
	good = questions_ask(finder->tool, MUM_DELIVERY, &questions, finder->error);
	/* Behind those that were asked about, there are new ones by now. */
	for (stop = first; stop != NULL && at < questions.count && good; stop = stop->hh.next)
		judge(finder, stop, &questions.answers[at++]);
	questions_free(&questions);
	return good;
}

static bool walk_levels(struct finder *finder)
{
	while (finder->next_stop != NULL) {
		if (!walk_level(finder))
			return false;
	}
	way_graph_solve(finder->graph);
	return true;
}

static bool walk(struct finder *finder)
{
	finder->starts = xcalloc(finder->aliases.count, sizeof(*finder->starts));
	first_stop(finder, finder->mailbox, FORM_IS_NAME);	/* node 0 */
	for (size_t i = 0; i < finder->aliases.count; i++)
		finder->starts[i] = first_stop(finder, finder->aliases.items[i].address,
					       finder->aliases.items[i].kind);
	return walk_levels(finder);
}

/* ---- results ---- */

/* The alias of each node. */
static const char **aliases_of(const struct finder *finder)
{
	const char **aliases = xcalloc(HASH_COUNT(finder->stops), sizeof(*aliases));

	for (const struct stop *stop = finder->stops; stop != NULL; stop = stop->hh.next)
		aliases[stop->node] = stop->alias;
	return aliases;
}

static void set_path(const struct finder *finder, const char **aliases, struct way *way,
		     size_t first)
{
	const struct way_graph *graph = finder->graph;

	for (long at = (long)first; at != WAY_GRAPH_NOTHING;
	     at = way_graph_next(graph, (size_t)at))
		way->count += aliases[at] != NULL;
	way->path = arena_alloc(finder->arena, way->count * sizeof(*way->path));
	way->count = 0;
	for (long at = (long)first; at != WAY_GRAPH_NOTHING;
	     at = way_graph_next(graph, (size_t)at)) {
		if (aliases[at] != NULL)
			way->path[way->count++] = aliases[at];
	}
}

static int compare(const void *one, const void *other)
{
	return strcmp(((const struct way *)one)->alias, ((const struct way *)other)->alias);
}

static void put_ways(const struct finder *finder, struct ways *ways)
{
	const char **aliases = aliases_of(finder);

	ways->receives = way_graph_arrives(finder->graph, 0);
	ways->deferred = way_graph_is_deferred(finder->graph, 0);
	ways->items = arena_alloc(finder->arena, finder->aliases.count * sizeof(*ways->items));
	for (size_t i = 0; i < finder->aliases.count; i++) {
		const struct way_alias *alias = &finder->aliases.items[i];
		const struct stop *start = finder->starts[i];
		struct way *way = &ways->items[ways->count];

		/* Another alias may get mail to its name: one in quotes, or a role. */
		if (!way_graph_arrives(finder->graph, start->node) || start->alias == NULL ||
		    start->kind != alias->kind || !address_is_same(start->alias, alias->address))
			continue;
		*way = (struct way){ .alias = start->alias, .kind = alias->kind,
				     .expires = alias->expires };
		way->deferred = way_graph_is_deferred(finder->graph, start->node);
		set_path(finder, aliases, way, start->node);
		ways->count++;
	}
	qsort(ways->items, ways->count, sizeof(*ways->items), compare);
	free(aliases);
}

static struct finder finder_new(struct tool *tool, const char *mailbox, struct arena *arena,
				struct inspect_error *error)
{
	struct finder finder = {
		.tool = tool, .mailbox = mailbox, .error = error,
		.settings = recipients_settings_of(tool_config(tool, MUM_ROLE_POSTFIX)),
		.arena = arena, .graph = way_graph_new(),
	};

	keyed_hash_init(&finder.hash);
	return finder;
}

static void clear(struct finder *finder)
{
	struct stop *stop, *next_stop;

	KEYED_FREE(finder->stops, stop, next_stop);
	way_graph_free(&finder->graph);
	free(finder->starts);
}

bool ways_find(struct tool *tool, struct inspect *db, struct unknown_names *unknown,
	       const char *mailbox, struct ways *ways_r, struct inspect_error *error_r)
{
	struct finder finder = finder_new(tool, mailbox, &ways_r->arena, error_r);
	bool good;

	*ways_r = (struct ways){ .count = 0 };
	finder.unknown = unknown;
	good = way_aliases_find(tool, db, unknown, mailbox, finder.arena, &finder.aliases,
				error_r) && walk(&finder);
	if (good)
		put_ways(&finder, ways_r);
	clear(&finder);
	return good;
}

void ways_clear(struct ways *ways)
{
	arena_free(&ways->arena);
}

bool ways_are_deferred(struct tool *tool, const char *address)
{
	struct arena arena = { NULL };
	struct inspect_error error;
	struct finder finder = finder_new(tool, "", &arena, &error);
	size_t first = stop_of(&finder, address)->node;
	bool deferred = walk_levels(&finder) && way_graph_is_deferred(finder.graph, first);

	clear(&finder);
	arena_free(&arena);
	return deferred;
}
