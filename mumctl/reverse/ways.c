/* SPDX-License-Identifier: MIT */
/*
 * Backwards, names lead to whatever aliases may have them as a recipient: too many rather
 * than too few. Forwards, each of these is followed as Postfix follows it, by the rules of
 * live traffic, and only those that arrive count.
 */
#include "mumctl/reverse/ways.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/keyed-hash.h"
#include "common/rules.h"
#include "mumctl/postfix.h"
#include "mumctl/reverse/alias-rows.h"
#include "mumctl/reverse/ask.h"
#include "mumctl/reverse/name-index.h"
#include "mumctl/reverse/way-graph.h"

/* Bytes of an extension that can be part of no stored name: it grows without end. */
enum { EXTENSION_MAX = 4 * ADDRESS_PART_MAX };
/* Stops with an extension; loops that add several may have as many as there are sums of them. */
enum { EXTENDED_MAX = 20000 };

/* A name, folded, that may be on a way. */
struct name {
	UT_hash_handle hh;
	char key[];
};

/* A mailbox whose rows as a recipient have been read, as stored. */
struct box {
	UT_hash_handle hh;
	char key[];
};

struct alias {
	UT_hash_handle hh;
	uint64_t id;		/* the key */
	const char *address, *expires;	/* as stored */
	struct stop *stop;
};

/* An address that mail comes to. */
struct stop {
	UT_hash_handle hh;
	size_t node;
	const char *alias;	/* that it is, as stored; NULL: none */
	char key[];
};

struct finder {
	struct tool *tool;
	struct inspect *db;
	const struct mum_config *config;
	const char *mailbox;
	struct inspect_error *error;
	struct recipients_settings settings;
	struct arena *arena;
	struct keyed_hash hash;
	struct name_index *texts;
	struct name *names, *next_name;	/* next_name: the first that is not searched */
	struct box *boxes;
	struct alias *aliases;
	uint64_t *ids;			/* aliases that a search found */
	size_t ids_count;
	struct stop *stops, *next_stop;	/* next_stop: the first that is not asked about */
	size_t extended;		/* stops that are an alias with an extension */
	struct way_graph *graph;
};

static const char *keep(struct finder *finder, const char *text)
{
	return text != NULL ? arena_strndup(finder->arena, text, strlen(text)) : NULL;
}

/* ---- backwards ---- */

static void add_name(const char *key, void *arg)
{
	struct finder *finder = arg;
	struct name *name;

	KEYED_FIND(finder->names, &finder->hash, key, strlen(key), name);
	if (name != NULL)
		return;
	KEYED_ADD(finder->names, &finder->hash, key, strlen(key), name, key);
	if (finder->next_name == NULL)
		finder->next_name = name;
}

/* Mail to it may come from its own name, and from those that an extension makes it of. */
static void add_names(struct finder *finder, const char *stored)
{
	char *key = address_fold(stored);

	add_name(key, finder);
	if (finder->config->address.propagate_extension)
		name_index_each_stem(key, finder->config->address.recipient_delimiter, add_name,
				     finder);
	free(key);
}

static void on_alias(uint64_t id, const char *address, const char *expires, void *arg)
{
	struct finder *finder = arg;
	struct alias *alias;

	HASH_FIND(hh, finder->aliases, &id, sizeof(id), alias);
	if (alias != NULL)
		return;
	alias = arena_alloc(finder->arena, sizeof(*alias));
	alias->id = id;
	alias->address = keep(finder, address);
	alias->expires = keep(finder, expires);
	HASH_ADD(hh, finder->aliases, id, sizeof(id), alias);
	add_names(finder, address);
}

static void on_text(uint64_t alias, const char *text, void *arg)
{
	name_index_add(((struct finder *)arg)->texts, text, alias);
}

static void add_id(uint64_t id, void *arg)
{
	struct finder *finder = arg;
	const struct alias *alias;

	HASH_FIND(hh, finder->aliases, &id, sizeof(id), alias);
	if (alias != NULL)
		return;
	if ((finder->ids_count & (finder->ids_count - 1)) == 0)
		finder->ids = xrealloc(finder->ids, sizeof(id) * (finder->ids_count > 0
								 ? finder->ids_count * 2 : 1));
	finder->ids[finder->ids_count++] = id;
}

/* The aliases of all ids, in one statement. */
static bool read_ids(struct finder *finder)
{
	struct buf list = BUF_INIT(finder->ids_count * 24 + 2);
	char *text;
	bool good;

	if (finder->ids_count == 0)
		return true;
	for (size_t i = 0; i < finder->ids_count; i++)
		buf_printf(&list, "%c%" PRIu64, i == 0 ? '[' : ',', finder->ids[i]);
	buf_puts(&list, "]");
	text = buf_steal(&list);
	good = alias_rows_by_id(finder->db,
				finder->config->database.driver == MUM_DRIVER_SQLITE, text,
				on_alias, finder, finder->error);
	free(text);
	finder->ids_count = 0;
	return good;
}

static bool read_box(struct finder *finder, const char *stored)
{
	struct box *box;

	KEYED_FIND(finder->boxes, &finder->hash, stored, strlen(stored), box);
	if (box != NULL)
		return true;
	KEYED_ADD(finder->boxes, &finder->hash, stored, strlen(stored), box, key);
	return alias_rows_of(finder->db, ALIAS_ROWS_RECIPIENT, stored, on_alias, finder,
			     finder->error);
}

/* Recipients that refer to a mailbox of the name. */
static bool read_boxes(struct finder *finder, const char *key, const struct asked *asked)
{
	const struct facts *facts = asked->answer.facts[MUM_DELIVERY];
	const char *last = NULL;
	bool good = true;

	for (size_t i = 0; facts != NULL && i < facts->count && good; i++) {
		const char *mailbox = facts->deliveries[i].mailbox;

		if (mailbox == NULL || (last != NULL && strcmp(mailbox, last) == 0) ||
		    !address_is_same(mailbox, key))
			continue;
		last = mailbox;
		good = read_box(finder, mailbox);
	}
	return good;
}

static void free_asked(struct asked *asked, char **keys, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		asked_free(&asked[i]);
		free(keys[i]);
	}
	free(asked);
	free(keys);
}

/* All names that are there by now; more may come of it. */
static bool search_level(struct finder *finder)
{
	size_t count = 0, room = HASH_COUNT(finder->names);
	char **keys = xcalloc(room, sizeof(*keys));
	struct asked *asked = xcalloc(room, sizeof(*asked));
	struct name *first = finder->next_name, *name;
	bool good;

	for (name = first; name != NULL; name = name->hh.next) {
		keys[count++] = ask_name(name->key, "");
		name_index_find(finder->texts, name->key, add_id, finder);
	}
	finder->next_name = NULL;
	good = ask_all(finder->tool, MUM_DELIVERY, keys, count, asked, finder->error);
	name = first;
	for (size_t i = 0; i < count && good; i++, name = name->hh.next)
		good = read_boxes(finder, name->key, &asked[i]);
	free_asked(asked, keys, count);
	return good && read_ids(finder);
}

static bool search(struct finder *finder)
{
	finder->texts = name_index_new(&finder->settings,
				       finder->config->address.recipient_delimiter);
	if (!alias_rows_each_text(finder->db, on_text, finder, finder->error))
		return false;
	add_names(finder, finder->mailbox);
	while (finder->next_name != NULL) {
		if (!search_level(finder))
			return false;
	}
	return true;
}

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

static struct stop *first_stop(struct finder *finder, const char *stored)
{
	char *key = ask_name(stored, "");
	struct stop *stop = stop_of(finder, key);

	free(key);
	return stop;
}

/* The row of a recipient that rule_recipients() lists: its text is the row's. */
static const struct delivery_row *row_of(const struct mum_answer *answer, const char *recipient)
{
	const struct facts *facts = answer->facts[MUM_DELIVERY];
	size_t i = 0;

	while (facts->deliveries[i].stands_for != recipient)
		i++;
	return &facts->deliveries[i];
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
	stop->alias = keep(finder, found->alias->alias);
	postfix_answer_map(SOCKETMAP_ALIASES, asked, &reply);
	if (reply.bad_value || endless)
		way_graph_defer(finder->graph, stop->node);
	map_reply_free(&reply);
	for (size_t i = 0; !endless && i < found->count; i++)
		follow(finder, stop, row_of(&asked->answer, found->addresses[i]),
		       found->extension);
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

/* All stops that are there by now; more may come of it. */
static bool walk_level(struct finder *finder)
{
	size_t count = 0, room = HASH_COUNT(finder->stops);
	char **keys = xcalloc(room, sizeof(*keys));
	struct asked *asked = xcalloc(room, sizeof(*asked));
	struct stop *first = finder->next_stop, *stop;
	bool good;

	for (stop = first; stop != NULL; stop = stop->hh.next)
		keys[count++] = xstrdup(stop->key);
	finder->next_stop = NULL;
	good = ask_all(finder->tool, MUM_DELIVERY, keys, count, asked, finder->error);
	stop = first;
	for (size_t i = 0; i < count && good; i++, stop = stop->hh.next)
		judge(finder, stop, &asked[i]);
	free_asked(asked, keys, count);
	return good;
}

static bool walk(struct finder *finder)
{
	struct alias *alias;

	finder->graph = way_graph_new();
	first_stop(finder, finder->mailbox);	/* node 0 */
	for (alias = finder->aliases; alias != NULL; alias = alias->hh.next)
		alias->stop = first_stop(finder, alias->address);
	while (finder->next_stop != NULL) {
		if (!walk_level(finder))
			return false;
	}
	way_graph_solve(finder->graph);
	return true;
}

/* ---- results ---- */

/* By node: its alias. */
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
	ways->items = arena_alloc(finder->arena,
				  HASH_COUNT(finder->aliases) * sizeof(*ways->items));
	for (const struct alias *alias = finder->aliases; alias != NULL; alias = alias->hh.next) {
		size_t node = alias->stop->node;
		struct way *way = &ways->items[ways->count];

		/* Mail to its name may be another alias's: of names in quotes. */
		if (!way_graph_arrives(finder->graph, node) || aliases[node] == NULL ||
		    !address_is_same(aliases[node], alias->address))
			continue;
		*way = (struct way){ .alias = alias->address, .expires = alias->expires };
		way->deferred = way_graph_is_deferred(finder->graph, node);
		set_path(finder, aliases, way, node);
		ways->count++;
	}
	qsort(ways->items, ways->count, sizeof(*ways->items), compare);
	free(aliases);
}

static void clear(struct finder *finder)
{
	struct name *name, *next_name;
	struct box *box, *next_box;
	struct stop *stop, *next_stop;

	KEYED_FREE(finder->names, name, next_name);
	KEYED_FREE(finder->boxes, box, next_box);
	KEYED_FREE(finder->stops, stop, next_stop);
	HASH_CLEAR(hh, finder->aliases);
	name_index_free(&finder->texts);
	if (finder->graph != NULL)
		way_graph_free(&finder->graph);
	free(finder->ids);
}

bool ways_find(struct tool *tool, struct inspect *db, const char *mailbox,
	       struct ways *ways_r, struct inspect_error *error_r)
{
	const struct mum_config *config = tool_config(tool, MUM_ROLE_POSTFIX);
	struct finder finder = {
		.tool = tool, .db = db, .config = config, .mailbox = mailbox, .error = error_r,
		/* Without roles and catch-alls: mumctl(8) says so. */
		.settings = { .readings = mum_config_readings(config),
			      .other_maps = config->address.other_maps },
		.arena = &ways_r->arena,
	};
	bool good;

	*ways_r = (struct ways){ .count = 0 };
	keyed_hash_init(&finder.hash);
	good = search(&finder) && walk(&finder);
	if (good)
		put_ways(&finder, ways_r);
	clear(&finder);
	return good;
}

void ways_clear(struct ways *ways)
{
	arena_free(&ways->arena);
}
