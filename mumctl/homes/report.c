/* SPDX-License-Identifier: MIT */
#include "mumctl/homes/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "mumctl/paths.h"

/* ---- folders that belong to nobody ---- */

/* NULL for what root owns: Dovecot's mail users are others. Caller frees. */
static char *command_for(const struct orphan *orphan, size_t number)
{
	char *name = xasprintf("%zu-%s", number, strrchr(orphan->path, '/') + 1);
	char *from = shell_word(orphan->path), *to = shell_word(name);
	char *command = orphan->status.st_uid != 0
				? xasprintf("mv -nT -- %s \"$archive\"/%s", from, to)
				: NULL;

	free(name);
	free(from);
	free(to);
	return command;
}

static json_t *time_text(time_t when)
{
	char text[sizeof("YYYY-MM-DDTHH:MM:SSZ") + 16];
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return json_null();
	return json_string(text);
}

static json_t *orphans_json(const struct orphans *orphans, bool sizes)
{
	json_t *list = json_array();

	for (size_t i = 0; i < orphans->count; i++) {
		const struct orphan *orphan = &orphans->items[i];
		char *command = command_for(orphan, i + 1);
		json_t *item = json_pack("{so sI so}", "path", tool_json_text(orphan->path), "uid",
					 (json_int_t)orphan->status.st_uid, "command",
					 command != NULL ? tool_json_text(command) : json_null());

		if (sizes) {
			json_object_set_new(item, "kib", json_integer((json_int_t)(orphan->bytes / 1024)));
			json_object_set_new(item, "changed", time_text(orphan->changed));
		}
		json_array_append_new(list, item);
		free(command);
	}
	return list;
}

/* ---- homes of rows ---- */

/* A place that a row names, without links. */
struct place {
	char *path;
	const struct home_row *row;
};

struct places {
	size_t count;
	struct place *items;	/* in the order of path_compare(), those of one path by row */
};

static int compare_places(const void *_one, const void *_other)
{
	const struct place *one = _one, *other = _other;
	int order = path_compare(one->path, other->path);

	return order != 0 ? order : (one->row > other->row) - (one->row < other->row);
}

static void add_place(struct places *places, const struct home_row *row, const char *path)
{
	if (path != NULL)
		places->items[places->count++] = (struct place){ home_names_real(path), row };
}

static struct places places_of(const struct home_rows *rows)
{
	struct places places = { .count = 0 };

	places.items = xmalloc((2 * rows->count + 1) * sizeof(*places.items));
	for (size_t i = 0; i < rows->count; i++) {
		const struct home_row *row = &rows->rows[i];

		add_place(&places, row, row->home);
		if (row->home == NULL || row->mail == NULL || !path_is_in(row->mail, row->home))
			add_place(&places, row, row->mail);
	}
	qsort(places.items, places.count, sizeof(*places.items), compare_places);
	return places;
}

static void clear(struct places *places)
{
	for (size_t i = 0; i < places->count; i++)
		free(places->items[i].path);
	free(places->items);
}

/* The names of the rows that share the place at first; empty when it is one row's. */
static json_t *sharers(const struct places *places, size_t first, size_t *next_r)
{
	const struct place *items = places->items;
	json_t *names = json_array();
	size_t i;

	for (i = first; i < places->count && strcmp(items[i].path, items[first].path) == 0; i++) {
		if (i == first || items[i].row != items[i - 1].row)
			json_array_append_new(names, tool_json_text(items[i].row->name));
	}
	*next_r = i;
	if (json_array_size(names) == 1)
		json_array_clear(names);
	return names;
}

static json_t *shared_json(const struct places *places)
{
	json_t *list = json_array();
	size_t next;

	for (size_t i = 0; i < places->count; i = next) {
		json_t *names = sharers(places, i, &next);

		if (json_array_size(names) > 0)
			json_array_append_new(list, json_pack("{so so}", "path",
							      tool_json_text(places->items[i].path),
							      "mailboxes", names));
		else
			json_decref(names);
	}
	return list;
}

/* Once for a row, and not when the outer home is its own or the very same. */
static json_t *nested_json(const struct places *places)
{
	json_t *list = json_array();
	struct nesting nesting = { NULL, NULL };
	const struct home_row *last = NULL;

	for (size_t i = 0; i < places->count; i++) {
		const struct place *place = &places->items[i];
		const char *owner = nesting_enter(&nesting, place->path, place->row->name);

		if (owner == NULL || strcmp(owner, place->row->name) == 0 || place->row == last ||
		    strcmp(nesting.outer, place->path) == 0)
			continue;
		last = place->row;
		json_array_append_new(list, json_pack("{so so so}", "path",
						      tool_json_text(place->path), "mailbox",
						      tool_json_text(place->row->name), "inside",
						      tool_json_text(owner)));
	}
	nesting_clear(&nesting);
	return list;
}

/* Neither the home nor the mail; a send-only mailbox has none. */
static json_t *missing_json(const struct home_rows *rows, const struct home_names *names)
{
	json_t *list = json_array();

	for (size_t i = 0; i < rows->count; i++) {
		const struct home_row *row = &rows->rows[i];
		const char *path = row->home != NULL ? row->home : row->mail;

		if (row->send_only || path == NULL || home_names_is_there(names, path) ||
		    (row->mail != NULL && home_names_is_there(names, row->mail)))
			continue;
		json_array_append_new(list, json_pack("{so so sb}", "path", tool_json_text(path),
						      "mailbox", tool_json_text(row->name),
						      "active", row->active));
	}
	return list;
}

/* ---- all of it ---- */

json_t *homes_report(const struct home_rows *rows, const struct home_names *names,
		     const struct orphans *orphans, bool sizes)
{
	struct places places = places_of(rows);
	json_t *report = json_pack("{so so so so sb}", "orphans", orphans_json(orphans, sizes),
				   "shared", shared_json(&places), "nested", nested_json(&places),
				   "missing", missing_json(rows, names), "complete",
				   orphans->why == NULL);

	clear(&places);
	return report;
}

static const char *text(const json_t *item, const char *key)
{
	return json_string_value(json_object_get(item, key));
}

static void print_path(const char *what, const json_t *item)
{
	printf("%s: ", what);
	tool_print_clean(text(item, "path"));
	printf(": ");
}

static void print_orphans(const json_t *list)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		const json_t *kib = json_object_get(item, "kib");

		print_path("orphan", item);
		printf("belongs to no mailbox");
		if (kib != NULL)
			printf(", %" JSON_INTEGER_FORMAT " KiB, last change %.10s",
			       json_integer_value(kib),
			       text(item, "changed") != NULL ? text(item, "changed") : "unknown");
		printf("\n");
	}
}

static void print_shared(const json_t *list)
{
	const json_t *item, *names;
	size_t i, j;

	json_array_foreach(list, i, item) {
		names = json_object_get(item, "mailboxes");
		print_path("shared", item);
		for (j = 0; j < json_array_size(names); j++) {
			printf(j == 0 ? "of <" : " and <");
			tool_print_clean(json_string_value(json_array_get(names, j)));
			printf(">");
		}
		printf("\n");
	}
}

static void print_nested(const json_t *list)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		print_path("nested", item);
		printf("of <");
		tool_print_clean(text(item, "mailbox"));
		printf(">, inside that of <");
		tool_print_clean(text(item, "inside"));
		printf(">\n");
	}
}

static void print_missing(const json_t *list)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		print_path("missing", item);
		printf("of <");
		tool_print_clean(text(item, "mailbox"));
		printf(">%s\n", json_is_true(json_object_get(item, "active")) ? "" : ", inactive");
	}
}

static void print_commands(const json_t *list, const char *now)
{
	const json_t *item;
	size_t i;

	if (json_array_size(list) == 0)
		return;
	printf("\n# Out of the way of new mailboxes, by bash as root. On the same file system\n"
	       "# nothing is copied.\n"
	       "archive=/var/backups/mum-homes-%.10s\n"
	       "mkdir -m 0700 -- \"$archive\"\n", now);
	json_array_foreach(list, i, item) {
		const char *command = text(item, "command");

		if (command == NULL)
			printf("# root's own, so no mailbox had it: ");
		tool_print_clean(command != NULL ? command : text(item, "path"));
		printf("\n");
	}
}

void homes_print(const json_t *report, const char *now)
{
	static const char *const kinds[] = { "orphans", "shared", "nested", "missing" };
	static void (*const print[])(const json_t *list) = {
		print_orphans, print_shared, print_nested, print_missing,
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		print[i](json_object_get(report, kinds[i]));
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		printf("%zu %s%s", json_array_size(json_object_get(report, kinds[i])), kinds[i],
		       i + 1 < sizeof(kinds) / sizeof(kinds[0]) ? ", " : "\n");
	print_commands(json_object_get(report, "orphans"), now);
}

bool homes_report_is_grave(const json_t *report)
{
	return json_array_size(json_object_get(report, "orphans")) > 0 ||
	       json_array_size(json_object_get(report, "shared")) > 0 ||
	       json_array_size(json_object_get(report, "nested")) > 0;
}
