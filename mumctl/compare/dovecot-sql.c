/* SPDX-License-Identifier: MIT */
#include "mumctl/compare/dovecot-sql.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/buf.h"
#include "common/text.h"
#include "common/xalloc.h"

enum { FILE_MAX = 64 * 1024, QUERY_MAX = 256 * 1024 };

/* ---- the file ---- */

/* Finds the name in a connect line. For SQLite the whole line is a path. */
static size_t find_database(const char **value, size_t len)
{
	const char *name = memmem(*value, len, "dbname=", 7);
	size_t rest;

	if (name == NULL)
		return memchr(*value, '=', len) == NULL ? len : 0;
	name += 7;
	rest = len - (size_t)(name - *value);
	*value = name;
	for (len = 0; len < rest && name[len] != ' ' && name[len] != '\t'; len++)
		;
	return len;
}

static void set(struct dovecot_sql *sql, const char *name, size_t name_len, const char *value,
		size_t len)
{
	const struct {
		const char *name;
		char **place;
	} settings[] = {
		{ "connect", &sql->database },
		{ "default_pass_scheme", &sql->default_pass_scheme },
		{ "password_query", &sql->password_query },
		{ "user_query", &sql->user_query },
		{ "iterate_query", &sql->iterate_query },
		{ "dovecot_config_version", &sql->config_version },
	};

	if (len >= 2 && *value == '"' && value[len - 1] == '"') {
		value++;
		len -= 2;
	}
	if (name_len == strlen("connect") && memcmp(name, "connect", name_len) == 0)
		len = find_database(&value, len);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		if (strlen(settings[i].name) == name_len &&
		    memcmp(settings[i].name, name, name_len) == 0) {
			free(*settings[i].place);
			*settings[i].place = xstrndup(value, len);
		}
	}
}

static void on_setting(struct dovecot_sql *sql, const char *line, size_t len)
{
	const char *name = line, *equals, *value;
	size_t name_len;

	len = text_trim(&name, len);
	equals = memchr(name, '=', len);
	if (len == 0 || *name == '#' || equals == NULL)
		return;
	value = equals + 1;
	len = text_trim(&value, len - (size_t)(value - name));
	line = name;
	name_len = text_trim(&line, (size_t)(equals - name));
	set(sql, line, name_len, value, len);
}

void dovecot_sql_read(FILE *file, struct dovecot_sql *sql_r)
{
	struct buf whole = BUF_INIT(FILE_MAX);
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	*sql_r = (struct dovecot_sql){ .database = xstrdup(""),
				       .default_pass_scheme = xstrdup("MD5"),
				       .password_query = xstrdup(""),
				       .user_query = xstrdup(""),
				       .iterate_query = xstrdup(""),
				       .config_version = xstrdup("") };
	while ((len = getline(&line, &size, file)) > 0) {
		const char *text = line;
		size_t rest = text_trim(&text, (size_t)len);
		bool goes_on = rest > 0 && text[rest - 1] == '\\';

		buf_put(&whole, text, rest - goes_on);
		buf_puts(&whole, " ");
		if (goes_on)
			continue;
		if (!whole.failed)
			on_setting(sql_r, whole.data, whole.len);
		buf_clear(&whole);
	}
	/* The connect line has a password. */
	if (line != NULL)
		explicit_bzero(line, size);
	free(line);
	if (whole.data != NULL)
		explicit_bzero(whole.data, whole.size);
	buf_free(&whole);
}

void dovecot_sql_clear(struct dovecot_sql *sql)
{
	free(sql->database);
	free(sql->default_pass_scheme);
	free(sql->password_query);
	free(sql->user_query);
	free(sql->iterate_query);
	free(sql->config_version);
	*sql = (struct dovecot_sql){ .database = NULL };
}

/* ---- a query ---- */

struct login {
	const char *whole, *local, *domain;
};

static const char *value_of(const struct login *user, char variable)
{
	switch (variable) {
	case 'u':
		return user->whole;
	case 'n':
		return user->local;
	case 'd':
		return user->domain;
	case '%':
		return "%";
	default:
		return NULL;
	}
}

/* The string of this length with its variables replaced; false for an unknown one. */
static bool expand(struct buf *text, const char *string, size_t len, const struct login *user)
{
	for (size_t i = 0; i < len; i++) {
		const char *value;

		if (string[i] != '%') {
			buf_put(text, string + i, 1);
			continue;
		}
		/* %Lu: the user is in small letters already. */
		i += i + 2 < len && string[i + 1] == 'L';
		value = i + 1 < len ? value_of(user, string[++i]) : NULL;
		if (value == NULL)
			return false;
		buf_puts(text, value);
	}
	return true;
}

void dovecot_sql_put_literal(struct buf *sql, const char *text, size_t len, bool sqlite)
{
	buf_puts(sql, sqlite ? "CAST(X'" : "_utf8mb4 X'");
	for (size_t i = 0; i < len; i++)
		buf_printf(sql, "%02x", (unsigned char)text[i]);
	buf_puts(sql, sqlite ? "' AS TEXT)" : "'");
}

/* The length of a quoted string, with its quotes; 0 when it has no end. */
static size_t quoted_len(const char *query)
{
	size_t len = 1;

	while (query[len] != '\0' && query[len] != *query)
		len += query[len] == '\\' && query[len + 1] != '\0' ? 2 : 1;
	return query[len] == '\0' ? 0 : len + 1;
}

static bool put_string(struct buf *sql, const char *string, size_t len,
		       const struct login *user, bool sqlite)
{
	struct buf text = BUF_INIT(QUERY_MAX);
	bool good = true;

	if (memchr(string, '%', len) == NULL) {
		buf_put(sql, string, len);
		return true;
	}
	good = expand(&text, string + 1, len - 2, user);
	if (good)
		dovecot_sql_put_literal(sql, text.data, text.len, sqlite);
	buf_free(&text);
	return good;
}

static bool put_query(struct buf *sql, const char *query, const struct login *user, bool sqlite)
{
	while (*query != '\0') {
		size_t len = strcspn(query, "'\"%");

		buf_put(sql, query, len);
		query += len;
		if (*query == '%')
			return false;
		if (*query == '\0')
			break;
		len = quoted_len(query);
		if (len == 0 || !put_string(sql, query, len, user, sqlite))
			return false;
		query += len;
	}
	return true;
}

char *dovecot_sql_for_user(const char *query, const char *user, bool sqlite)
{
	struct buf sql = BUF_INIT(QUERY_MAX);
	char *whole = text_lower(xstrdup(user));
	size_t local_len = strcspn(whole, "@");
	char *local = xstrndup(whole, local_len);
	const struct login parts = { whole, local,
				    whole[local_len] == '@' ? whole + local_len + 1 : "" };
	bool good = put_query(&sql, query, &parts, sqlite);

	while (sql.len > 0 && strchr("; \t\r\n", sql.data[sql.len - 1]) != NULL)
		sql.len--;
	good = good && !sql.failed && sql.len > 0;
	free(local);
	free(whole);
	if (good)
		return buf_steal(&sql);
	buf_free(&sql);
	return NULL;
}

/* ---- hashes ---- */

bool dovecot_sql_verifies(const char *scheme, const char *hash, bool *known_r)
{
	static const struct {
		const char *scheme, *prefix;
	} schemes[] = {
		{ "BLF-CRYPT", "$2" },	   { "SHA512-CRYPT", "$6$" },
		{ "SHA256-CRYPT", "$5$" }, { "MD5-CRYPT", "$1$" },
		{ "ARGON2I", "$argon2i$" }, { "ARGON2ID", "$argon2id$" },
		{ "CRYPT", "$" },
	};

	*known_r = true;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (strcasecmp(scheme, schemes[i].scheme) == 0)
			return strncmp(hash, schemes[i].prefix, strlen(schemes[i].prefix)) == 0 &&
			       /* crypt(3) knows all but these. */
			       (strcmp(schemes[i].prefix, "$") != 0 ||
				strncmp(hash, "$argon2", 7) != 0);
	}
	*known_r = false;
	return false;
}
