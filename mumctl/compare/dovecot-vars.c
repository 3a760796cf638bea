/* SPDX-License-Identifier: MIT */
#include "mumctl/compare/dovecot-vars.h"

#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "common/xalloc.h"
#include "mumctl/compare/dovecot-sql.h"

enum { TEXT_MAX = 256 * 1024 };

/* ---- filters: each frees the value it gets, and returns another one or NULL ---- */

/* Only ASCII, as Dovecot does. */
static char *to_upper(char *value)
{
	for (char *at = value; *at != '\0'; at++) {
		if (*at >= 'a' && *at <= 'z')
			*at = (char)(*at - 'a' + 'A');
	}
	return value;
}

static char *to_username(char *value)
{
	value[strcspn(value, "@")] = '\0';
	return value;
}

/* What stands behind the first '@'; NULL without one. */
static char *to_domain(char *value)
{
	const char *at = strchr(value, '@');
	char *domain = at != NULL ? xstrdup(at + 1) : NULL;

	free(value);
	return domain;
}

static const struct {
	const char *name;
	char *(*apply)(char *value);
} filters[] = {
	{ "lower", text_lower },
	{ "upper", to_upper },
	{ "username", to_username },
	{ "domain", to_domain },
};

/* Sets *value to NULL if the filter leaves no value; false for an unknown filter. */
static bool apply_filter(const char *name, char **value)
{
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		if (strcmp(filters[i].name, name) != 0)
			continue;
		if (*value != NULL)
			*value = filters[i].apply(*value);
		return true;
	}
	return false;
}

/* ---- one variable ---- */

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static void skip_blanks(const char **at)
{
	*at += strspn(*at, " \t");
}

/* NULL when there is no name. */
static char *read_name(const char **at)
{
	const char *start;

	skip_blanks(at);
	start = *at;
	if (strspn(start, LETTERS) == 0)
		return NULL;
	*at += strspn(start, LETTERS "0123456789_/;:.-");
	return xstrndup(start, (size_t)(*at - start));
}

/* The value that a variable begins with; false for an unknown variable. */
static bool look_up(const char *name, const struct dovecot_vars *vars, char **value_r)
{
	const char *value = NULL;
	bool known = true;

	if (strcmp(name, "user") == 0 || strcmp(name, "owner_user") == 0)
		value = vars->user;
	else if (strncmp(name, "sql:", 4) == 0 && vars->column != NULL)
		value = vars->column(name + 4, vars->arg);
	else
		known = false;
	*value_r = value != NULL ? xstrdup(value) : NULL;
	return known;
}

/* *at is behind "%{", and then behind "}". */
static enum dovecot_expanded expand_one(struct buf *out, const char **at,
					const struct dovecot_vars *vars)
{
	enum dovecot_expanded result = EXPAND_UNKNOWN;
	char *name = read_name(at), *value = NULL;
	bool known = name != NULL && look_up(name, vars, &value);

	skip_blanks(at);
	while (known && **at == '|') {
		++*at;
		free(name);
		name = read_name(at);
		known = name != NULL && apply_filter(name, &value);
		skip_blanks(at);
	}
	if (known && **at == '}') {
		++*at;
		result = value != NULL ? EXPANDED : EXPAND_UNSET;
		if (value != NULL)
			buf_puts(out, value);
	}
	free(name);
	free(value);
	return result;
}

/* ---- texts ---- */

static bool is_variable(const char *at)
{
	return strncmp(at, "%{", 2) == 0 || strncmp(at, "%%{", 3) == 0;
}

/* What *at begins with: a variable, "%%{" for "%{", or a byte that stays. */
static enum dovecot_expanded expand_next(struct buf *out, const char **at,
					 const struct dovecot_vars *vars)
{
	if (strncmp(*at, "%{", 2) == 0) {
		*at += 2;
		return expand_one(out, at, vars);
	}
	if (is_variable(*at)) {
		buf_puts(out, "%{");
		*at += 3;
		return EXPANDED;
	}
	buf_put(out, *at, 1);
	++*at;
	return EXPANDED;
}

enum dovecot_expanded dovecot_expand(struct buf *out, const char *text,
				     const struct dovecot_vars *vars)
{
	enum dovecot_expanded result = EXPANDED;

	while (*text != '\0' && result == EXPANDED)
		result = expand_next(out, &text, vars);
	return result;
}

/* ---- queries ---- */

/* Does the string go on here with an escape: a backslash, or its quote doubled? */
static bool is_escape(const char *at, char quote, bool sqlite)
{
	return (*at == '\\' && !sqlite && at[1] != '\0') || (*at == quote && at[1] == quote);
}

/*
 * A quoted string, from its first quote to its last. Reads its variables on the way,
 * because they may have quotes in them.
 */
static enum dovecot_expanded put_string(struct buf *sql, const char **at,
					const struct dovecot_vars *vars, bool sqlite)
{
	const char *start = *at;
	struct buf text = BUF_INIT(TEXT_MAX);
	enum dovecot_expanded result = EXPANDED;
	bool escape, has_escape = false, has_variable = false;

	for (++*at; result == EXPANDED && **at != '\0'; result = expand_next(&text, at, vars)) {
		escape = is_escape(*at, *start, sqlite);
		if (**at == *start && !escape)
			break;
		has_escape = has_escape || escape;
		*at += escape;
		has_variable = has_variable || is_variable(*at);
	}
	if (result == EXPANDED && (**at == '\0' || (has_escape && has_variable)))
		result = EXPAND_UNKNOWN;
	if (result == EXPANDED) {
		++*at;
		if (has_variable)
			dovecot_sql_put_literal(sql, text.data, text.len, sqlite);
		else
			buf_put(sql, start, (size_t)(*at - start));
	}
	buf_free(&text);
	return result;
}

enum dovecot_expanded dovecot_expand_query(const char *query, const struct dovecot_vars *vars,
					   bool sqlite, char **sql_r)
{
	struct buf sql = BUF_INIT(TEXT_MAX);
	enum dovecot_expanded result = EXPANDED;

	for (const char *at = query; *at != '\0' && result == EXPANDED;) {
		if (*at == '\'' || *at == '"')
			result = put_string(&sql, &at, vars, sqlite);
		else if (strncmp(at, "%{", 2) == 0)
			result = EXPAND_UNKNOWN;
		else
			result = expand_next(&sql, &at, vars);
	}
	while (sql.len > 0 && strchr("; \t\r\n", sql.data[sql.len - 1]) != NULL)
		sql.len--;
	if (result == EXPANDED && (sql.failed || sql.len == 0))
		result = EXPAND_UNKNOWN;
	*sql_r = result == EXPANDED ? buf_steal(&sql) : NULL;
	buf_free(&sql);
	return result;
}
