/* SPDX-License-Identifier: MIT */
#include "common/store-mariadb/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/buf.h"
#include "common/store-mariadb/client.h"
#include "common/xalloc.h"

enum {
	LIST_SIZE_MAX = 1024,		/* bytes of a list of variables */
	ROWS_ENOUGH = 1 << 30,		/* rows; no answer has as many */
	/* https://mariadb.com/kb/en/mariadb-error-code-reference/; libmariadb's own errors. */
	CLIENT_ERROR_FIRST = 2000, CLIENT_ERROR_LAST = 2999,
	INVALID_CHARACTER = 1300
};

/* Some variables have one name in MariaDB and another in MySQL or newer versions. */
enum { SPELLINGS = 2 };

#define NAMES "NAMES utf8mb4 COLLATE utf8mb4_unicode_ci"

/*
 * time_zone stays as it is: deactivate_at is a TIMESTAMP, and MUM wrote it in a
 * session that has the server's time zone, too.
 */
static const char *const settings[][SPELLINGS] = {
	{ NAMES, NAMES },
	{ "autocommit=1", "autocommit=1" },
	{ "tx_isolation='REPEATABLE-READ'", "transaction_isolation='REPEATABLE-READ'" },
	{ "sql_select_limit=18446744073709551615", "sql_select_limit=18446744073709551615" },
	{ "sql_big_selects=1", "sql_big_selects=1" },
	{ "sql_mode=''", "sql_mode=''" },
};

enum { SETTINGS = sizeof(settings) / sizeof(settings[0]) };

static bool is_on(const char *value)
{
	return strcasecmp(value, "ON") == 0 || strcmp(value, "1") == 0;
}

static bool is_utf8mb4(const char *value)
{
	return strcasecmp(value, "utf8mb4") == 0;
}

static bool is_mum_collation(const char *value)
{
	return strcasecmp(value, "utf8mb4_unicode_ci") == 0;
}

static bool is_enough(const char *value)
{
	return strtoull(value, NULL, 10) >= ROWS_ENOUGH;
}

static bool is_committed(const char *value)
{
	return strcasestr(value, "UNCOMMITTED") == NULL;
}

/* Variables that change answers. */
static const struct {
	const char *names[SPELLINGS];
	bool (*is_right)(const char *value);
} checks[] = {
	{ { "autocommit", "autocommit" }, is_on },
	{ { "character_set_client", "character_set_client" }, is_utf8mb4 },
	{ { "character_set_connection", "character_set_connection" }, is_utf8mb4 },
	{ { "character_set_results", "character_set_results" }, is_utf8mb4 },
	{ { "collation_connection", "collation_connection" }, is_mum_collation },
	{ { "sql_select_limit", "sql_select_limit" }, is_enough },
	{ { "tx_isolation", "transaction_isolation" }, is_committed },
};

enum { CHECKS = sizeof(checks) / sizeof(checks[0]) };

/* A character of four bytes in UTF-8 and one of two. */
#define NAME "\360\237\230\200\303\266"
#define NAME_HEX "F09F9880C3B6"

/* False: the server or a proxy refused the statement, the connection is still good. */
static bool is_broken(MYSQL *mysql)
{
	return mysql_errno(mysql) >= CLIENT_ERROR_FIRST &&
	       mysql_errno(mysql) <= CLIENT_ERROR_LAST;
}

/* ---- setting ---- */

/* Frees sql. */
static bool run(MYSQL *mysql, char *sql)
{
	bool ok = mysql_query(mysql, sql) == 0;

	free(sql);
	return ok;
}

/* MariaDB's limit is in seconds, MySQL's in milliseconds. Caller frees. */
static char *limits_text(size_t spelling, unsigned timeout_ms)
{
	unsigned seconds = timeout_ms / 1000, ms = timeout_ms % 1000;
	unsigned wait = seconds + (ms > 0);

	return spelling == 0 ? xasprintf("max_statement_time=%u.%03u, lock_wait_timeout=%u",
					 seconds, ms, wait)
			     : xasprintf("max_execution_time=%u, lock_wait_timeout=%u",
					 timeout_ms, wait);
}

/* One SET for all variables: a server takes all of them or none. */
static bool set_together(MYSQL *mysql, size_t spelling, unsigned timeout_ms)
{
	struct buf list = BUF_INIT(LIST_SIZE_MAX);
	char *limits = limits_text(spelling, timeout_ms);

	buf_printf(&list, "SET %s", limits);
	for (size_t i = 0; i < SETTINGS; i++)
		buf_printf(&list, ", %s", settings[i][spelling]);
	free(limits);
	return run(mysql, buf_steal(&list));
}

static bool set_alone(MYSQL *mysql, const char *const spellings[SPELLINGS])
{
	for (size_t i = 0; i < SPELLINGS; i++) {
		if (run(mysql, xasprintf("SET %s", spellings[i])))
			return true;
	}
	return false;
}

bool session_limit(MYSQL *mysql, unsigned timeout_ms)
{
	char *texts[SPELLINGS] = { limits_text(0, timeout_ms), limits_text(1, timeout_ms) };
	const char *spellings[SPELLINGS] = { texts[0], texts[1] };
	bool ok = set_alone(mysql, spellings);

	for (size_t i = 0; i < SPELLINGS; i++)
		free(texts[i]);
	return ok;
}

/* A refused variable is found when we read it back, or it changes no answer. */
static void set_variables(MYSQL *mysql, unsigned timeout_ms)
{
	for (size_t i = 0; i < SPELLINGS; i++) {
		if (set_together(mysql, i, timeout_ms) || is_broken(mysql))
			return;
	}
	for (size_t i = 0; i < SETTINGS && !is_broken(mysql); i++)
		set_alone(mysql, settings[i]);
	if (!is_broken(mysql))
		session_limit(mysql, timeout_ms);
}

/* init_connect may have begun a transaction, and autocommit=1 does not end it. */
static void end_transaction(MYSQL *mysql)
{
	if ((mysql->server_status & SERVER_STATUS_IN_TRANS) != 0)
		mysql_query(mysql, "ROLLBACK AND NO CHAIN NO RELEASE");
}

/* ---- reading back ---- */

static bool refuse(char reason_r[SESSION_REASON_SIZE], const char *name, const char *value)
{
	snprintf(reason_r, SESSION_REASON_SIZE,
		 "%s stays %.60s in the session, which would change answers", name, value);
	return false;
}

/* False when the value is wrong. NULL is no character set: bytes come as stored. */
static bool check_value(size_t check, size_t spelling, const char *value,
			char reason_r[SESSION_REASON_SIZE])
{
	if (value == NULL)
		value = "NULL";
	return checks[check].is_right(value) ||
	       refuse(reason_r, checks[check].names[spelling], value);
}

/*
 * The first row. NULL when the statement was refused, or when its result has another
 * number of columns. The caller frees the result.
 */
static MYSQL_ROW ask_row(MYSQL *mysql, char *sql, size_t columns, MYSQL_RES **result_r)
{
	*result_r = run(mysql, sql) ? mysql_store_result(mysql) : NULL;
	if (*result_r == NULL || mysql_num_fields(*result_r) != columns)
		return NULL;
	return mysql_fetch_row(*result_r);
}

/* Runs the checks [first, first + count) in one statement. False when it was refused. */
static bool read_variables(MYSQL *mysql, size_t first, size_t count, size_t spelling,
			   char reason_r[SESSION_REASON_SIZE])
{
	struct buf list = BUF_INIT(LIST_SIZE_MAX);
	MYSQL_RES *result;
	MYSQL_ROW row;

	for (size_t i = 0; i < count; i++)
		buf_printf(&list, "%s@@session.%s", i == 0 ? "SELECT " : ", ",
			   checks[first + i].names[spelling]);
	row = ask_row(mysql, buf_steal(&list), count, &result);
	for (size_t i = 0; row != NULL && i < count; i++) {
		if (!check_value(first + i, spelling, row[i], reason_r))
			break;
	}
	mysql_free_result(result);
	return row != NULL;
}

/*
 * Reads all variables at once, or one by one if that is refused. What the server does
 * not tell is left to try_session().
 */
static void read_back(MYSQL *mysql, char reason_r[SESSION_REASON_SIZE])
{
	for (size_t i = 0; i < SPELLINGS; i++) {
		if (read_variables(mysql, 0, CHECKS, i, reason_r) || is_broken(mysql))
			return;
	}
	for (size_t check = 0; check < CHECKS && reason_r[0] == '\0'; check++) {
		for (size_t i = 0; i < SPELLINGS; i++) {
			if (read_variables(mysql, check, 1, i, reason_r) || is_broken(mysql))
				break;
		}
	}
}

/* ---- trying ---- */

bool session_sees_changes(const MYSQL *mysql)
{
	return (mysql->server_status & SERVER_STATUS_AUTOCOMMIT) != 0 &&
	       (mysql->server_status & SERVER_STATUS_IN_TRANS) == 0;
}

/* Tries whether a name comes back unchanged, and two rows stay two. */
static bool try_session(MYSQL *mysql, char reason_r[SESSION_REASON_SIZE])
{
	MYSQL_RES *result;
	MYSQL_ROW row = ask_row(mysql, xstrdup("SELECT '" NAME "', HEX(CONVERT('" NAME "'"
					       " USING utf8mb4)) UNION ALL SELECT '', ''"),
				2, &result);

	if (result == NULL && mysql_errno(mysql) != INVALID_CHARACTER)
		return false;
	if (result == NULL)
		refuse(reason_r, "character_set_client", "other than utf8mb4");
	else if (mysql_num_rows(result) != 2)
		refuse(reason_r, "sql_select_limit", "too low");
	else if (row == NULL)
		snprintf(reason_r, SESSION_REASON_SIZE,
			 "an answer has other columns than the server was asked for");
	else if (row[1] == NULL || strcmp(row[1], NAME_HEX) != 0)
		refuse(reason_r, "character_set_client", "other than utf8mb4");
	else if (row[0] == NULL || strcmp(row[0], NAME) != 0)
		refuse(reason_r, "character_set_results", "other than utf8mb4");
	else if (!session_sees_changes(mysql))
		refuse(reason_r, "autocommit", "off, or a transaction open,");
	mysql_free_result(result);
	return reason_r[0] == '\0';
}

bool session_set(MYSQL *mysql, unsigned timeout_ms, char reason_r[SESSION_REASON_SIZE])
{
	reason_r[0] = '\0';
	set_variables(mysql, timeout_ms);
	if (!is_broken(mysql))
		end_transaction(mysql);
	if (!is_broken(mysql))
		read_back(mysql, reason_r);
	return !is_broken(mysql) && reason_r[0] == '\0' && try_session(mysql, reason_r);
}
