/* SPDX-License-Identifier: MIT */
/*
 * The stock setup of Dovecot: the SQL file of 2.3, what doveconf prints of 2.4, and the
 * queries that they lead to for any user.
 */
#include "mumctl/compare/stock-queries.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/xalloc.h"
#include "mumctl/compare/compare.h"
#include "mumctl/compare/dovecot-vars.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/programs.h"

/* ---- what mumctl is built on ---- */

void tool_complain(const char *what, const char *why)
{
	HOLDS(what != NULL && *why != '\0');
}

bool stock_complain_missing(const char *file, const char *what)
{
	tool_complain(file, what);
	return errno == ENOENT;
}

void inspect_close(struct inspect **inspect)
{
	HOLDS(*inspect == NULL);
}

/* The last statement that the database got. */
static char *asked;

bool inspect_query(struct inspect *inspect, const char *sql, inspect_row_fn *fn, void *arg,
		   struct inspect_error *error_r)
{
	HOLDS(inspect == NULL && fn == NULL && arg == NULL && error_r != NULL);
	free(asked);
	asked = xstrdup(sql);
	return true;
}

/* More columns than it keeps, if the query is long. */
bool inspect_columns(struct inspect *inspect, const char *sql, inspect_name_fn *fn, void *arg,
		     struct inspect_error *error_r)
{
	size_t count = strlen(sql) % (INSPECT_COLUMNS_MAX + 3);

	HOLDS(inspect == NULL && error_r != NULL);
	for (size_t i = 0; i < count; i++)
		fn(i == 0 ? "home" : "quota_storage_size", arg);
	return true;
}

/* ---- what must hold ---- */

/* The statement without what is in its literals of hexadecimal digits. */
static void drop_literals(char *sql)
{
	char *to = sql;

	while (*sql != '\0') {
		bool literal = sql[0] == 'X' && sql[1] == '\'';

		*to++ = *sql++;
		if (literal) {
			*to++ = *sql++;
			sql += strspn(sql, "0123456789abcdef");
		}
	}
	*to = '\0';
}

static char *ask(const struct stock_queries *queries, const char *query, const char *user)
{
	char *sql;

	asked = NULL;
	stock_query(queries, "a query", "stock.home", query, user, NULL, NULL);
	sql = asked;
	asked = NULL;
	if (sql != NULL)
		drop_literals(sql);
	return sql;
}

/* Nothing in the user's name changes the statement around it. */
static void check_query(struct stock_queries *queries, const char *query, const char *user)
{
	for (int sqlite = 0; sqlite <= 1; sqlite++) {
		char *one, *other;

		queries->sqlite = sqlite == 1;
		one = ask(queries, query, user);
		other = ask(queries, query, "u@d");
		if (one != NULL && other != NULL) {
			fuzz_reached();
			HOLDS(strcmp(one, other) == 0);
		}
		free(one);
		free(other);
	}
}

static void check_queries(struct stock_queries *queries, const char *user)
{
	struct mum_config config = { .database = { .name = queries->sql.database,
						   .path = queries->sql.database } };
	bool failed = false, known;
	size_t count = stock_field_count(queries->generation);

	HOLDS(count <= FIELDS_MAX);
	if (!stock_queries_check(queries, &config, &failed))
		return;
	HOLDS(!failed);
	for (size_t i = 0; i < count; i++) {
		HOLDS(stock_field_name(queries->generation, i) != NULL);
		stock_has_field(queries, i);
	}
	check_query(queries, queries->sql.password_query, user);
	check_query(queries, queries->sql.user_query, user);
	check_query(queries, queries->sql.iterate_query, "");
	HOLDS(!dovecot_sql_verifies(queries->sql.default_pass_scheme, "", &known) && known);
}

/* What has a value for one user, a column and its filters. */
static const char *any_column(const char *name, void *arg)
{
	return *name == 'n' ? NULL : arg;
}

static void check_fields(const struct dovecot_fields *fields, const char *user)
{
	const struct dovecot_vars vars = { user, any_column, (char[]){ "V@W" } };

	for (size_t i = 0; i < fields->count; i++) {
		struct buf out = BUF_INIT(65536);

		stock_field_is_compared(fields->items[i].name);
		dovecot_expand(&out, fields->items[i].text, &vars);
		buf_free(&out);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed feed = { data, size };
	char *user = feed_part(&feed), *text = feed_part(&feed);
	int fd = memfd_create("dovecot-sql.conf", MFD_CLOEXEC);
	char *path = xasprintf("/proc/self/fd/%d", fd);
	struct stock_queries queries;
	bool here;

	HOLDS(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	programs_print(&feed);
	/* Without a file, what the installed 2.4 has; 2.3 would read a file of this machine. */
	here = *text == '\0' && feed.size > 3 && memcmp(feed.data, "2.4", 3) == 0;
	if (stock_queries_read(&queries, here ? NULL : path) == STOCK_READ) {
		check_queries(&queries, user);
		check_fields(&queries.conf.passdb, user);
		check_fields(&queries.conf.userdb, user);
	}
	stock_queries_clear(&queries);
	close(fd);
	free(path);
	free(text);
	free(user);
	return 0;
}
