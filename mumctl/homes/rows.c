/* SPDX-License-Identifier: MIT */
#include "mumctl/homes/rows.h"

#include <stdlib.h>
#include <string.h>

#include "common/mail-location.h"
#include "common/xalloc.h"
#include "mumctl/paths.h"

enum { ROW_LOCAL, ROW_DOMAIN, ROW_HOME, ROW_MAILDIR, ROW_ACTIVE, ROW_SEND_ONLY };

static const char rows_sql[] =
	"SELECT m.local_part, d.domain, m.homedir, m.maildir, m.active, m.send_only"
	" FROM mailboxes m LEFT JOIN domains d ON d.id = m.domain_id ORDER BY m.id";

static const char *text_of(const struct column *column, const char *otherwise)
{
	return column->data != NULL ? column->data : otherwise;
}

static const char *keep_normal(struct home_rows *rows, const char *path)
{
	char *normal = path_normal(path);
	const char *kept = arena_strdup(&rows->arena, normal);

	free(normal);
	return kept;
}

static void add_path(struct home_rows *rows, const char *path)
{
	rows->paths = xgrow(rows->paths, rows->paths_count, sizeof(*rows->paths));
	rows->paths[rows->paths_count++] = arena_strdup(&rows->arena, path);
}

/* Adds all absolute paths in a text that is no mail location: rather too many than too few. */
static void add_all_in(struct home_rows *rows, const char *text)
{
	char *copy = xstrdup(text), *rest = copy, *part;

	while ((part = strsep(&rest, ":")) != NULL) {
		const char *slash = strchr(part, '/');

		if (slash != NULL && (slash == part || slash[-1] == '='))
			add_path(rows, slash);
	}
	free(copy);
}

/* The folder before a variable of Dovecot's: mail may be anywhere in it. */
static char *cut_variable(const char *path)
{
	const char *percent = strchr(path, '%');

	while (percent != NULL && strchr("{abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
					 percent[1]) == NULL)
		percent = strchr(percent + 1, '%');
	if (percent == NULL || percent[1] == '\0')
		return NULL;
	while (percent > path && *percent != '/')
		percent--;
	return xstrndup(path, (size_t)(percent - path) + 1);
}

static void add_place(struct home_rows *rows, const char *path)
{
	char *folder = cut_variable(path);

	add_path(rows, path);
	if (folder != NULL)
		add_path(rows, folder);
	free(folder);
}

static void read_maildir(struct home_rows *rows, struct home_row *row, const char *maildir)
{
	struct mail_location location;
	struct arena scratch = { NULL };

	if (mail_location_parse(maildir, &scratch, &location) != NULL)
		add_all_in(rows, maildir);
	if (location.values[MAIL_PATH] != NULL)
		row->mail = keep_normal(rows, location.values[MAIL_PATH]);
	for (int i = 0; i < MAIL_SETTINGS; i++) {
		if (location.values[i] != NULL && *location.values[i] == '/')
			add_place(rows, location.values[i]);
	}
	arena_free(&scratch);
}

static void on_row(const struct column *columns, void *arg)
{
	struct home_rows *rows = arg;
	const char *home = text_of(&columns[ROW_HOME], "");
	char *name = xjoin(text_of(&columns[ROW_LOCAL], "?"), "@",
			   text_of(&columns[ROW_DOMAIN], "?"));
	struct home_row *row;

	rows->rows = xgrow(rows->rows, rows->count, sizeof(*row));
	row = &rows->rows[rows->count++];
	*row = (struct home_row){ .name = arena_strdup(&rows->arena, name),
				  .home = keep_normal(rows, home) };
	row->active = column_is_true(&columns[ROW_ACTIVE]);
	row->send_only = column_is_true(&columns[ROW_SEND_ONLY]);
	if (*home == '/')
		add_path(rows, home);
	read_maildir(rows, row, text_of(&columns[ROW_MAILDIR], ""));
	free(name);
}

bool home_rows_read(struct inspect *db, struct home_rows *rows_r, struct inspect_error *error_r)
{
	*rows_r = (struct home_rows){ .count = 0 };
	if (inspect_query(db, rows_sql, on_row, rows_r, error_r))
		return true;
	home_rows_clear(rows_r);
	return false;
}

void home_rows_clear(struct home_rows *rows)
{
	free(rows->rows);
	free(rows->paths);
	arena_free(&rows->arena);
	*rows = (struct home_rows){ .count = 0 };
}
