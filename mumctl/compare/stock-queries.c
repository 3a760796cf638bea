/* SPDX-License-Identifier: MIT */
#include "mumctl/compare/stock-queries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "mumctl/compare/compare.h"
#include "mumctl/compare/dovecot-vars.h"
#include "mumctl/settings.h"

/* Where MUM's manual has the file of 2.3. */
#define DOVECOT_FILE "/etc/dovecot/dovecot-sql.conf"

/* A user for a query that we only try out. */
#define ANY_USER "user@example.test"

static void complain(const char *source, const char *why)
{
	char *text = xasprintf("%s; Dovecot's answers are not compared", why);

	tool_complain(source, text);
	free(text);
}

/* ---- fields ---- */

static const char *const fields_23[] = { "home", "mail", "quota_rule" };

size_t stock_field_count(enum dovecot_generation generation)
{
	return generation == DOVECOT_2_4 ? FIELDS_MAX : sizeof(fields_23) / sizeof(fields_23[0]);
}

const char *stock_field_name(enum dovecot_generation generation, size_t number)
{
	if (generation == DOVECOT_2_3)
		return fields_23[number];
	if (number == 0)
		return "home";
	return number <= MAIL_SETTINGS ? mail_setting_name((enum mail_setting)(number - 1))
				       : "quota_storage_size";
}

bool stock_field_is_compared(const char *name)
{
	bool compared = strcmp(name, "password") == 0;

	for (size_t i = 0; i < FIELDS_MAX && !compared; i++)
		compared = strcmp(stock_field_name(DOVECOT_2_4, i), name) == 0;
	return compared;
}

size_t stock_column(const struct column_names *names, const char *name)
{
	size_t i = 0;

	while (i < names->count && strcmp(names->names[i], name) != 0)
		i++;
	return i;
}

bool stock_has_field(const struct stock_queries *queries, size_t number)
{
	const struct dovecot_fields *fields = &queries->conf.userdb;
	const struct column_names *columns = &queries->userdb;
	const char *name = stock_field_name(queries->generation, number);
	bool has = queries->generation == DOVECOT_2_3 ||
		   (fields->import_all && stock_column(columns, name) < columns->count);

	for (size_t i = 0; i < fields->count && !has; i++)
		has = strcmp(fields->items[i].name, name) == 0;
	return has;
}

/* ---- reading ---- */

/* The file itself shows its generation, whichever Dovecot is installed. */
static enum stock_read read_file(struct stock_queries *queries, const char *path)
{
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return stock_complain_missing(path, "Dovecot's answers are not compared")
			       ? STOCK_LEFT_OUT : STOCK_UNREADABLE;
	dovecot_sql_read(file, &queries->sql);
	fclose(file);
	if (*queries->sql.config_version != '\0')
		queries->generation = DOVECOT_2_4;
	return STOCK_READ;
}

static enum stock_read read_settings(struct stock_queries *queries, const char *path)
{
	char *unread = NULL;
	struct doveconf *settings = doveconf_load(path, dovecot_conf_names, &unread);
	const char *why = unread;
	enum stock_read result;

	dovecot_sql_clear(&queries->sql);
	if (why == NULL)
		why = dovecot_conf_read(settings, &queries->sql, &queries->conf);
	if (why != NULL)
		complain(queries->source, why);
	doveconf_free(&settings);
	result = unread != NULL ? STOCK_UNREADABLE : why != NULL ? STOCK_LEFT_OUT : STOCK_READ;
	free(unread);
	return result;
}

enum stock_read stock_queries_read(struct stock_queries *queries_r, const char *file)
{
	enum dovecot_generation here = file == NULL ? settings_generation_here() : DOVECOT_2_3;
	enum stock_read result = STOCK_READ;

	*queries_r = (struct stock_queries){ .generation = here };
	if (file == NULL && here == DOVECOT_2_3)
		file = DOVECOT_FILE;
	queries_r->source = xstrdup(file != NULL ? file : "dovecot.conf");
	if (file != NULL)
		result = read_file(queries_r, file);
	if (result == STOCK_READ && queries_r->generation == DOVECOT_2_4)
		result = read_settings(queries_r, file);
	return result;
}

static void clear_names(struct column_names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->names[i]);
}

void stock_queries_clear(struct stock_queries *queries)
{
	free(queries->source);
	dovecot_sql_clear(&queries->sql);
	dovecot_conf_clear(&queries->conf);
	clear_names(&queries->passdb);
	clear_names(&queries->userdb);
	clear_names(&queries->list);
	inspect_close(&queries->db);
}

/* ---- a query for a user ---- */

char *stock_user(const struct stock_queries *queries, const char *typed)
{
	const struct dovecot_vars vars = { .user = typed };
	struct buf user = BUF_INIT(4096);

	if (dovecot_expand(&user, queries->conf.username_format, &vars) == EXPANDED &&
	    !user.failed)
		return buf_steal(&user);
	buf_free(&user);
	return NULL;
}

static enum dovecot_expanded put_query(const struct stock_queries *queries, const char *query,
				       const char *typed, char **sql_r)
{
	struct dovecot_vars vars = { .user = NULL };
	enum dovecot_expanded result = EXPAND_UNKNOWN;
	char *user;

	*sql_r = NULL;
	if (queries->generation == DOVECOT_2_3) {
		*sql_r = dovecot_sql_for_user(query, typed, queries->sqlite);
		return *sql_r != NULL ? EXPANDED : EXPAND_UNKNOWN;
	}
	user = stock_user(queries, typed);
	vars.user = user;
	if (user != NULL)
		result = dovecot_expand_query(query, &vars, queries->sqlite, sql_r);
	free(user);
	return result;
}

bool stock_query(const struct stock_queries *queries, const char *what, const char *columns,
		 const char *query, const char *user, inspect_row_fn *fn, void *arg)
{
	struct inspect_error error;
	char *asked, *sql;
	enum dovecot_expanded result = put_query(queries, query, user, &asked);
	bool good;

	/* Only in a query for a list, which has no user: then Dovecot lists nobody. */
	if (result == EXPAND_UNSET)
		return true;
	if (result == EXPAND_UNKNOWN) {
		tool_complain(what, "it has variables other than %u, %n and %d, or one outside of "
				    "quotes; it cannot be compared");
		return false;
	}
	sql = xasprintf("SELECT %s FROM (%s) stock", columns, asked);
	good = inspect_query(queries->db, sql, fn, arg, &error);
	if (!good)
		tool_complain(what, error.text);
	free(sql);
	free(asked);
	return good;
}

/* ---- can they be compared? ---- */

static const char *check_database(const struct stock_queries *queries,
				  const struct mum_config *config)
{
	const char *ours = queries->sqlite ? config->database.path : config->database.name;
	bool known;

	dovecot_sql_verifies(queries->sql.default_pass_scheme, "", &known);
	if (strcmp(queries->sql.database, ours) != 0)
		return "it asks another database than mum.conf names";
	if (!known && queries->generation == DOVECOT_2_3)
		return "no hash in MUM has its default_pass_scheme";
	if (!known)
		return "no hash in MUM has its default_password_scheme";
	return NULL;
}

static const char *any_column(const char *name, void *arg)
{
	(void)name;
	return arg;
}

static bool has_known_variables(const struct dovecot_fields *fields)
{
	const struct dovecot_vars vars = { ANY_USER, any_column, (char[]){ "" } };
	bool known = true;

	for (size_t i = 0; i < fields->count && known; i++) {
		struct buf out = BUF_INIT(65536);

		known = !stock_field_is_compared(fields->items[i].name) ||
			dovecot_expand(&out, fields->items[i].text, &vars) != EXPAND_UNKNOWN;
		buf_free(&out);
	}
	return known;
}

static const char *check_variables(const struct stock_queries *queries)
{
	const struct {
		const char *query, *user, *why;
	} rows[] = {
		{ queries->sql.password_query, ANY_USER,
		  "the query of its passdb has a variable or a filter that mumctl does not know, "
		  "or one outside of quotes" },
		{ queries->sql.user_query, ANY_USER,
		  "the query of its userdb has a variable or a filter that mumctl does not know, "
		  "or one outside of quotes" },
		{ queries->sql.iterate_query, "",
		  "its iterate_query has a variable or a filter that mumctl does not know, "
		  "or one outside of quotes" },
	};
	char *user = stock_user(queries, ANY_USER);
	const char *why = NULL;

	if (user == NULL)
		return "its auth_username_format has a variable or a filter that mumctl does not know";
	free(user);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && why == NULL; i++) {
		enum dovecot_expanded result;
		char *sql;

		if (*rows[i].query == '\0')
			continue;
		result = put_query(queries, rows[i].query, rows[i].user, &sql);
		free(sql);
		if (result == EXPAND_UNKNOWN || (result == EXPAND_UNSET && *rows[i].user != '\0'))
			why = rows[i].why;
	}
	if (why == NULL && !(has_known_variables(&queries->conf.passdb) &&
			     has_known_variables(&queries->conf.userdb)))
		why = "a field in fields { } has a variable or a filter that mumctl does not know";
	return why;
}

/* ---- columns ---- */

static void on_name(const char *name, void *arg)
{
	struct column_names *names = arg;

	names->too_many = names->count == INSPECT_COLUMNS_MAX;
	if (!names->too_many)
		names->names[names->count++] = xstrdup(name);
}

/* False: the database gave no answer, and it has complained. */
static bool find_columns(const struct stock_queries *queries, const char *what,
			 const char *query, const char *user, struct column_names *names_r)
{
	struct inspect_error error;
	char *asked = NULL, *sql;
	bool good;

	if (*query == '\0' || put_query(queries, query, user, &asked) != EXPANDED)
		return true;
	sql = xasprintf("SELECT * FROM (%s) stock LIMIT 0", asked);
	good = inspect_columns(queries->db, sql, on_name, names_r, &error);
	if (!good)
		tool_complain(what, error.text);
	free(sql);
	free(asked);
	return good;
}

static bool find_all_columns(struct stock_queries *queries)
{
	const struct dovecot_sql *sql = &queries->sql;

	return find_columns(queries, "passdb query", sql->password_query, ANY_USER,
			    &queries->passdb) &&
	       find_columns(queries, "userdb query", sql->user_query, ANY_USER,
			    &queries->userdb) &&
	       find_columns(queries, "userdb iterate_query", sql->iterate_query, "",
			    &queries->list);
}

bool stock_queries_check(struct stock_queries *queries, const struct mum_config *config,
			 bool *failed)
{
	const char *why = check_database(queries, config);

	if (why == NULL && queries->generation == DOVECOT_2_4) {
		why = check_variables(queries);
		*failed = why == NULL && !find_all_columns(queries);
		if (why == NULL &&
		    (queries->passdb.too_many || queries->userdb.too_many))
			why = "a query of it has too many columns";
	}
	if (why != NULL)
		complain(queries->source, why);
	return why == NULL && !*failed;
}
