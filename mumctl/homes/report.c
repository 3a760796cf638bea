/* SPDX-License-Identifier: MIT */
#include "mumctl/homes/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/xalloc.h"
#include "mumctl/paths.h"

/* ---- folders that belong to nobody ---- */

/* NULL if root owns it: no mail belongs to root. Caller frees. */
static char *command_for(const struct orphan *orphan, size_t number)
{
	char *name = xasprintf("%zu-%s", number, strrchr(orphan->path, '/') + 1);
	char *from = path_shell_word(orphan->path), *to = path_shell_word(name);
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
			json_object_set_new(item, "kib",
					    json_integer((json_int_t)(orphan->bytes / 1024)));
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

/* The names of the rows that share the place at first; empty if only one row has it. */
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

/* Lists a row once, and not when the outer home is its own or the same path. */
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

/* Rows whose home and mail are both not there. A send-only mailbox has none. */
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

/* ---- in words ---- */

static char *words_of_orphan(const json_t *item)
{
	const char *changed = tool_json_member(item, "changed");

	if (json_object_get(item, "kib") == NULL)
		return xstrdup("belongs to no mailbox");
	return xasprintf("belongs to no mailbox, %zu KiB, last change %.10s",
			 tool_json_number(item, "kib"), *changed != '\0' ? changed : "unknown");
}

static char *words_of_shared(const json_t *item)
{
	const json_t *names = json_object_get(item, "mailboxes");
	struct buf words = BUF_INIT(1 << 20);

	for (size_t i = 0; i < json_array_size(names); i++)
		buf_printf(&words, "%s<%s>", i == 0 ? "of " : " and ",
			   json_string_value(json_array_get(names, i)));
	return buf_steal(&words);
}

static char *words_of_nested(const json_t *item)
{
	return xasprintf("of <%s>, inside that of <%s>", tool_json_member(item, "mailbox"),
			 tool_json_member(item, "inside"));
}

static char *words_of_missing(const json_t *item)
{
	return xasprintf("of <%s>%s", tool_json_member(item, "mailbox"),
			 json_is_true(json_object_get(item, "active")) ? "" : ", inactive");
}

static const struct finding {
	const char *list, *one;	/* names of all of them, and of one */
	char *(*words)(const json_t *item);
	bool grave;		/* else a mailbox that has no mail yet */
} findings[] = {
	{ "orphans", "orphan", words_of_orphan, true },
	{ "shared", "shared", words_of_shared, true },
	{ "nested", "nested", words_of_nested, true },
	{ "missing", "missing", words_of_missing, false },
};

enum { FINDINGS = sizeof(findings) / sizeof(findings[0]) };

static void print_finding(const json_t *report, const struct finding *finding)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(report, finding->list), i, item) {
		char *words = finding->words(item);

		tool_print_line("%s: %s: %s", finding->one, tool_json_member(item, "path"), words);
		free(words);
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
		const char *command = tool_json_member(item, "command");

		if (*command != '\0')
			tool_print_line("%s", command);
		else
			tool_print_line("# root's own, so no mailbox had it: %s",
					tool_json_member(item, "path"));
	}
}

static size_t count(const json_t *report, size_t finding)
{
	return json_array_size(json_object_get(report, findings[finding].list));
}

void homes_print(const json_t *report, const char *now)
{
	for (size_t i = 0; i < FINDINGS; i++)
		print_finding(report, &findings[i]);
	for (size_t i = 0; i < FINDINGS; i++)
		printf("%zu %s%s", count(report, i), findings[i].list,
		       i + 1 < FINDINGS ? ", " : "\n");
	print_commands(json_object_get(report, "orphans"), now);
}

bool homes_report_is_grave(const json_t *report)
{
	bool grave = false;

	for (size_t i = 0; i < FINDINGS; i++)
		grave = grave || (findings[i].grave && count(report, i) > 0);
	return grave;
}
