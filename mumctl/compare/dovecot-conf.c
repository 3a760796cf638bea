/* SPDX-License-Identifier: MIT */
#include "mumctl/compare/dovecot-conf.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

const char *const dovecot_conf_names[] = {
	"auth_username_format", "passdb", "userdb", "sql_driver", "mysql", "mysql_dbname",
	"sqlite_path", "passdb_default_password_scheme", "passdb_fields",
	"passdb_fields_import_all", "passdb_sql_query", "userdb_fields",
	"userdb_fields_import_all", "userdb_sql_iterate_query", "userdb_sql_query", NULL
};

/* A passdb or userdb of the sql driver. */
struct block {
	const struct doveconf *settings;
	const char *kind;	/* "passdb" */
	char *section;		/* "passdb NAME"; NULL while none is found */
	size_t count;		/* how many there are */
};

/* ---- settings of a block ---- */

/*
 * A setting may have the names of its block and driver in front, or not. If the block does
 * not set it, a setting outside of all blocks counts. "" if there is none.
 */
static const char *find(const struct block *block, const char *name)
{
	char *long_name = xjoin(block->kind, "_", name);
	char *sql_name = xjoin("sql", "_", name);
	char *full_name = xjoin(block->kind, "_", sql_name);
	const struct {
		const char *section, *name;
	} places[] = {
		{ block->section, name },      { block->section, sql_name },
		{ block->section, long_name }, { block->section, full_name },
		{ "", long_name },	       { "", full_name },
	};
	const char *value = NULL;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && value == NULL; i++)
		value = doveconf_value(block->settings, places[i].section, places[i].name);
	free(long_name);
	free(sql_name);
	free(full_name);
	return value != NULL ? value : "";
}

static bool is_yes(const struct block *block, const char *name)
{
	return strcmp(find(block, name), "yes") == 0;
}

/* ---- which block ---- */

/* A block's name is also its driver, unless it sets another one. */
static void on_section(const char *section, void *arg)
{
	struct block *block = arg, this = { block->settings, block->kind, NULL, 0 };
	size_t len = strlen(block->kind);
	const char *driver;

	if (strncmp(section, block->kind, len) != 0 || section[len] != ' ' ||
	    strstr(section, DOVECONF_INNER) != NULL)
		return;
	this.section = xstrdup(section);
	driver = doveconf_value(block->settings, section, "driver");
	if (strcmp(driver != NULL ? driver : section + len + 1, "sql") != 0 ||
	    is_yes(&this, "deny") || is_yes(&this, "master")) {
		free(this.section);
		return;
	}
	free(block->section);
	block->section = this.section;
	block->count++;
}

static const char *find_block(const struct doveconf *settings, const char *kind,
			      struct block *block_r)
{
	bool is_passdb = strcmp(kind, "passdb") == 0;

	*block_r = (struct block){ settings, kind, NULL, 0 };
	doveconf_each_section(settings, on_section, block_r);
	if (block_r->count == 0)
		return is_passdb ? "it has no passdb of the sql driver"
				 : "it has no userdb of the sql driver";
	if (block_r->count > 1)
		return is_passdb ? "it has several passdbs of the sql driver"
				 : "it has several userdbs of the sql driver";
	return NULL;
}

/* ---- the database ---- */

struct search {
	const struct doveconf *settings;
	char *prefix;		/* of the sections that it may be in */
	const char *database;	/* NULL while none is found */
};

static void on_server(const char *section, void *arg)
{
	struct search *search = arg;

	if (strncmp(section, search->prefix, strlen(search->prefix)) != 0)
		return;
	if (search->database == NULL)
		search->database = doveconf_value(search->settings, section, "dbname");
	if (search->database == NULL)
		search->database = doveconf_value(search->settings, section, "mysql_dbname");
}

static const char *find_server(const struct doveconf *settings, const char *section)
{
	struct search search = { settings, NULL, NULL };

	search.prefix = xjoin(section, *section != '\0' ? DOVECONF_INNER : "", "mysql ");
	doveconf_each_section(settings, on_server, &search);
	if (search.database == NULL)
		search.database = doveconf_value(settings, section, "mysql_dbname");
	free(search.prefix);
	return search.database;
}

/* The name, or SQLite's path; "" when none is set, or for another driver. */
static const char *find_database(const struct block *block)
{
	const char *const sections[] = { block->section, "" };
	const char *driver = NULL, *database = NULL;

	for (size_t i = 0; i < 2 && driver == NULL; i++)
		driver = doveconf_value(block->settings, sections[i], "sql_driver");
	for (size_t i = 0; i < 2 && driver != NULL && database == NULL; i++) {
		if (strcmp(driver, "mysql") == 0)
			database = find_server(block->settings, sections[i]);
		else if (strcmp(driver, "sqlite") == 0)
			database = doveconf_value(block->settings, sections[i], "sqlite_path");
	}
	return database != NULL ? database : "";
}

/* ---- fields { } ---- */

static void on_field(const char *name, const char *value, void *arg)
{
	struct dovecot_fields *fields = arg;

	fields->items = xrealloc(fields->items, (fields->count + 1) * sizeof(*fields->items));
	fields->items[fields->count].name = xstrdup(name);
	fields->items[fields->count++].text = xstrdup(value);
}

/* A later one counts, so those of the block come last. */
static void read_fields(const struct block *block, struct dovecot_fields *fields)
{
	static const char *const names[] = { "fields", "passdb_fields", "userdb_fields" };
	char *outside = xjoin(block->kind, "_", "fields");

	fields->import_all = strcmp(find(block, "fields_import_all"), "no") != 0;
	doveconf_each_setting(block->settings, outside, on_field, fields);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *inside = xjoin(block->section, DOVECONF_INNER, names[i]);

		doveconf_each_setting(block->settings, inside, on_field, fields);
		free(inside);
	}
	free(outside);
}

static void clear_fields(struct dovecot_fields *fields)
{
	for (size_t i = 0; i < fields->count; i++) {
		free(fields->items[i].name);
		explicit_bzero(fields->items[i].text, strlen(fields->items[i].text));
		free(fields->items[i].text);
	}
	free(fields->items);
}

/* ---- all of it ---- */

static char *text_or(const char *value, const char *otherwise)
{
	return xstrdup(value != NULL && *value != '\0' ? value : otherwise);
}

/* doveconf -n without -P turns what follows "password =" into a comment. */
static bool is_cut(const char *query)
{
	size_t len = strlen(query);

	return len > 0 && query[len - 1] == '=';
}

static const char *check(const struct dovecot_sql *sql, const struct dovecot_conf *conf)
{
	bool cut = is_cut(sql->password_query) || is_cut(sql->user_query) ||
		   is_cut(sql->iterate_query);

	if (*sql->password_query == '\0' || *sql->user_query == '\0')
		return "its passdb or its userdb of the sql driver has no query";
	for (size_t i = 0; i < conf->passdb.count; i++)
		cut = cut || (strcmp(conf->passdb.items[i].name, "password") == 0 &&
			      *conf->passdb.items[i].text == '\0');
	return cut ? "something is hidden in it; save it with doveconf -nP" : NULL;
}

static const char *read_blocks(const struct block *passdb, const struct block *userdb,
			       struct dovecot_sql *sql, struct dovecot_conf *conf)
{
	const char *format = doveconf_value(passdb->settings, "", "auth_username_format");

	*sql = (struct dovecot_sql){
		.database = xstrdup(find_database(passdb)),
		.default_pass_scheme = text_or(find(passdb, "default_password_scheme"), "PLAIN"),
		.password_query = xstrdup(find(passdb, "query")),
		.user_query = xstrdup(find(userdb, "query")),
		.iterate_query = xstrdup(find(userdb, "iterate_query")),
	};
	conf->username_format = text_or(format, "%{user}");
	read_fields(passdb, &conf->passdb);
	read_fields(userdb, &conf->userdb);
	if (strcmp(sql->database, find_database(userdb)) != 0)
		return "its passdb and its userdb ask different databases";
	return check(sql, conf);
}

const char *dovecot_conf_read(const struct doveconf *settings, struct dovecot_sql *sql_r,
			      struct dovecot_conf *conf_r)
{
	struct block passdb = { .section = NULL }, userdb = { .section = NULL };
	const char *why;

	*sql_r = (struct dovecot_sql){ .database = NULL };
	*conf_r = (struct dovecot_conf){ .username_format = NULL };
	why = find_block(settings, "passdb", &passdb);
	if (why == NULL)
		why = find_block(settings, "userdb", &userdb);
	if (why == NULL)
		why = read_blocks(&passdb, &userdb, sql_r, conf_r);
	free(passdb.section);
	free(userdb.section);
	return why;
}

void dovecot_conf_clear(struct dovecot_conf *conf)
{
	free(conf->username_format);
	clear_fields(&conf->passdb);
	clear_fields(&conf->userdb);
	*conf = (struct dovecot_conf){ .username_format = NULL };
}
