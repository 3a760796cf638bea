/* SPDX-License-Identifier: MIT */
/* homes [--size] [--under PATH]: folders of mail that belong to nobody, and homes at odds. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/xalloc.h"
#include "mumctl/commands.h"
#include "mumctl/homes/report.h"
#include "mumctl/paths.h"

struct homes {
	struct tool *tool;
	const struct mum_config *config;	/* of role Dovecot */
	bool size;
	size_t under_count;
	char **under;			/* folders, without links */
	struct orphans orphans;
};

/* Rows and what they name, at one moment. */
struct moment {
	struct home_rows rows;
	struct home_names *names;
};

/* ---- the command line ---- */

/* "/" would take the whole system for mail. */
static void add_under(struct homes *homes, const char *path)
{
	char *normal = path_normal(path);
	char *real = normal != NULL ? realpath(normal, NULL) : NULL;

	if (normal == NULL || (real != NULL && strcmp(real, "/") == 0)) {
		tool_complain("--under wants the absolute path of a folder for mail", path);
		exit(EX_USAGE);
	}
	if (real == NULL) {
		tool_complain(path, strerror(errno));
		exit(EX_NOINPUT);
	}
	homes->under = xrealloc(homes->under, (homes->under_count + 1) * sizeof(*homes->under));
	homes->under[homes->under_count++] = real;
	free(normal);
}

static void read_arguments(struct homes *homes, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--size") == 0)
			homes->size = true;
		else if (strcmp(argv[i], "--under") == 0 && i + 1 < argc)
			add_under(homes, argv[++i]);
		else
			tool_usage(USAGE_HOMES);
	}
}

/* ---- what the rows name ---- */

/* 0, or the exit status after a complaint. */
static int read_moment(const struct homes *homes, struct moment *moment_r)
{
	struct inspect_error error;
	struct inspect *db = inspect_open_any(homes->config, &error);
	bool good = db != NULL && home_rows_read(db, &moment_r->rows, &error);
	char *why = NULL;

	inspect_close(&db);
	if (!good)
		return tool_complain_database("homes: mailboxes cannot be read", &error);
	if (moment_r->rows.count == 0) {
		tool_complain("homes", "there is no mailbox; is this MUM's database?");
		return EX_CONFIG;
	}
	moment_r->names = home_names_new(&moment_r->rows, &why);
	if (moment_r->names != NULL)
		return 0;
	tool_complain("homes: a home that a mailbox names cannot be looked at", why);
	free(why);
	return EX_TEMPFAIL;
}

static void clear_moment(struct moment *moment)
{
	home_rows_clear(&moment->rows);
	home_names_free(&moment->names);
}

/* ---- what is on the disk ---- */

struct folders {
	size_t count;
	char **paths;
};

/* Adds the folder that the path is in, without links. */
static void add_parent(struct folders *folders, const char *path)
{
	char *parent, *real;

	if (path == NULL)
		return;
	parent = xstrndup(path, path_parent_len(path));
	real = home_names_real(parent);
	free(parent);
	folders->paths[folders->count++] = real;
}

static int compare(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

static struct folders parents_of(const struct home_rows *rows)
{
	struct folders folders = { .count = 0 };

	folders.paths = xmalloc((2 * rows->count + 1) * sizeof(*folders.paths));
	for (size_t i = 0; i < rows->count; i++) {
		const struct home_row *row = &rows->rows[i];

		add_parent(&folders, row->home);
		if (row->home == NULL || row->mail == NULL || !path_is_in(row->mail, row->home))
			add_parent(&folders, row->mail);
	}
	qsort(folders.paths, folders.count, sizeof(*folders.paths), compare);
	return folders;
}

/* The root holds no homes, and all inside a home is its owner's. */
static void find(struct homes *homes, const struct home_names *names, const char *path, bool deep)
{
	if (strcmp(path, "/") != 0 && !home_names_is_inside(names, path))
		orphans_find(&homes->orphans, names, path, deep);
}

static void find_orphans(struct homes *homes, const struct moment *moment)
{
	struct folders parents = parents_of(&moment->rows);

	for (size_t i = 0; i < parents.count; i++) {
		if (i == 0 || strcmp(parents.paths[i], parents.paths[i - 1]) != 0)
			find(homes, moment->names, parents.paths[i], false);
	}
	for (size_t i = 0; i < homes->under_count; i++)
		find(homes, moment->names, homes->under[i], true);
	for (size_t i = 0; i < parents.count; i++)
		free(parents.paths[i]);
	free(parents.paths);
}

/* ---- what is said ---- */

static int report(struct homes *homes, const struct moment *now)
{
	json_t *document;
	char *time;
	int status;

	if (homes->size)
		orphans_measure(&homes->orphans);
	document = homes_report(&now->rows, now->names, &homes->orphans, homes->size);
	status = homes_report_is_grave(document) ? 1 : 0;
	if (homes->orphans.why != NULL) {
		tool_complain("homes: not all could be read", homes->orphans.why);
		status = EX_TEMPFAIL;
	}
	time = tool_now(homes->config);
	if (!homes->tool->json)
		homes_print(document, time);
	else
		tool_print_json(json_incref(document));
	json_decref(document);
	free(time);
	return status;
}

/*
 * Reads the rows again after the disk: by then the home of a mailbox that was made
 * meanwhile belongs.
 */
static int look(struct homes *homes)
{
	struct moment moment = { .names = NULL };
	int status = read_moment(homes, &moment);

	if (status == 0)
		find_orphans(homes, &moment);
	clear_moment(&moment);
	if (status == 0)
		status = read_moment(homes, &moment);
	if (status == 0) {
		orphans_settle(&homes->orphans, moment.names);
		status = report(homes, &moment);
	}
	clear_moment(&moment);
	return status;
}

int command_homes(struct tool *tool, int argc, char **argv)
{
	struct homes homes = { .tool = tool };
	int status;

	read_arguments(&homes, argc, argv);
	homes.config = tool_config(tool, MUM_ROLE_DOVECOT);
	status = look(&homes);
	orphans_clear(&homes.orphans);
	for (size_t i = 0; i < homes.under_count; i++)
		free(homes.under[i]);
	free(homes.under);
	return status;
}
