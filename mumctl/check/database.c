/* SPDX-License-Identifier: MIT */
/* Encryption, columns, grants and indexes: what the database server can tell. */
#include "mumctl/check/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/xalloc.h"
#include "mumctl/grants.h"

/* ---- asking ---- */

void check_report_read(const struct check *check, const struct inspect_error *error)
{
	report_add(check->report, LEVEL_ERROR, "database-read", check->host,
		   "fix what the message names, then check again", "%s", error->text);
}

bool check_is_sqlite(const struct check *check)
{
	return check->config->database.driver == MUM_DRIVER_SQLITE;
}

bool check_query(const struct check *check, const char *sql, inspect_row_fn *fn, void *arg)
{
	struct inspect_error error;

	if (inspect_query(check->db, sql, fn, arg, &error))
		return true;
	check_report_read(check, &error);
	return false;
}

/* ---- encryption ---- */

void check_encryption(const struct check *check)
{
	if (check_is_sqlite(check) ||
	    mum_config_is_local(check->host) || inspect_cipher(check->db) != NULL)
		return;
	report_add(check->report, LEVEL_WARNING, "database-plain", check->host,
		   "set database.tls = \"verify-full\"",
		   "the connection leaves this machine and is not encrypted");
}

/* ---- columns ---- */

static bool can_read(const struct check *check, const char *table, const char *columns,
		     struct inspect_error *error_r)
{
	char *sql = xasprintf("SELECT %s FROM %s LIMIT 1", columns, table);
	bool can = inspect_query(check->db, sql, NULL, NULL, error_r);

	free(sql);
	return can;
}

static void on_user(const struct column *columns, void *arg)
{
	const char *name = columns[0].data != NULL ? columns[0].data : "";
	const char *at = strrchr(name, '@');

	if (at != NULL)
		*(char **)arg = xasprintf("'%.*s'@'%s'", (int)(at - name), name, at + 1);
}

/* 'mum_postfix'@'localhost': the account that the server takes us for. Caller frees. */
static char *account(const struct check *check)
{
	struct inspect_error error;
	char *text = NULL;

	(void)inspect_query(check->db, "SELECT CURRENT_USER()", on_user, &text, &error);
	return text != NULL ? text : xasprintf("'%s'@HOST", check->config->database.user);
}

static void report_column(const struct check *check, const struct grant *grant,
			  const char *column, const struct inspect_error *error)
{
	const char *where = report_text(check->report, "%s.%s", grant->table, column);
	char *user = account(check);
	char *cure = grant_statement(grant, check->config->database.name, user);

	if (error->trouble == INSPECT_DENIED)
		report_add(check->report, LEVEL_ERROR, "grant-missing", where, cure, "%s",
			   error->text);
	else
		report_add(check->report, LEVEL_ERROR, "schema-missing", where,
			   "is this MUM's database, and are its migrations done?", "%s",
			   error->text);
	free(user);
	free(cure);
}

/* Tries the whole table first, and each column by itself only if that fails. */
static bool check_table(const struct check *check, const struct grant *grant)
{
	struct inspect_error error;
	char *list, *rest, *column;
	bool good = can_read(check, grant->table, grant->columns, &error);

	if (good)
		return true;
	rest = list = xstrdup(grant->columns);
	while ((column = strsep(&rest, ",")) != NULL) {
		column += strspn(column, " ");
		if (can_read(check, grant->table, column, &error))
			continue;
		if (error.trouble == INSPECT_OTHER) {
			check_report_read(check, &error);
			break;	/* the column is not at fault */
		}
		report_column(check, grant, column, &error);
	}
	free(list);
	return false;
}

bool check_columns(const struct check *check)
{
	bool good = true;

	for (size_t i = 0; i < GRANTS; i++) {
		if (grants[i].role == check->role)
			good = check_table(check, &grants[i]) && good;
	}
	return good;
}

/* ---- grants ---- */

/* Does the list of rights before " ON " hold one that changes data? */
static bool is_writing(const char *grant)
{
	static const char *const rights[] = {
		"ALL PRIVILEGES", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER",
		"INDEX", "TRIGGER", "EVENT", "FILE", "SUPER",
	};
	const char *end = strstr(grant, " ON ");
	char *list = end != NULL ? xstrndup(grant, (size_t)(end - grant)) : xstrdup(grant);
	bool writing = false;

	for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++)
		writing = writing || strstr(list, rights[i]) != NULL;
	free(list);
	return writing;
}

/*
 * The statements that leave the user the rights that it needs, and no others: a GRANT
 * alone takes nothing away. Caller frees.
 */
static char *cure_of_rights(const struct check *check)
{
	struct buf cure = BUF_INIT(65536);
	char *user = account(check);

	buf_printf(&cure, "REVOKE ALL PRIVILEGES, GRANT OPTION FROM %s", user);
	for (size_t i = 0; i < GRANTS; i++) {
		char *grant = grant_statement(&grants[i], check->config->database.name, user);

		if (grants[i].role == check->role)
			buf_printf(&cure, "; %s", grant);
		free(grant);
	}
	free(user);
	return buf_steal(&cure);
}

struct rights {
	const struct check *check;
	char *cure;
	/* Of mumctl measure: the grant that it needs, and whether any lets it insert. */
	char *wanted;
	bool inserts;
};

/* Without what stands behind TO, such as "IDENTIFIED BY PASSWORD '...'". Caller frees. */
static char *shown_grant(const char *grant)
{
	const char *end = strstr(grant, " TO ");

	return xstrndup(grant, end != NULL ? (size_t)(end - grant) : strlen(grant));
}

static void on_grant(const struct column *columns, void *arg)
{
	const struct rights *rights = arg;
	const struct check *check = rights->check;
	const char *grant = columns[0].data;
	char *shown;

	if (grant == NULL || !is_writing(grant))
		return;
	shown = shown_grant(grant);
	report_add(check->report, LEVEL_WARNING, "grant-writes",
		   check->config->database.user, rights->cure,
		   "it may change data, which it never needs: %s", shown);
	free(shown);
}

void check_grants(const struct check *check)
{
	struct rights rights = { .check = check };
	struct inspect_error error;

	if (check_is_sqlite(check))
		return;
	rights.cure = cure_of_rights(check);
	check_query(check, "SHOW GRANTS", on_grant, &rights);
	if (check->role == MUM_ROLE_POSTFIX && can_read(check, "mailboxes", "password", &error))
		report_add(check->report, LEVEL_WARNING, "grant-password",
			   check->config->database.user, rights.cure,
			   "it can read mailboxes.password, which mumd never needs");
	free(rights.cure);
}

/* ---- the grant of mumctl measure ---- */

/* USAGE gives no right. */
static bool is_wanted(const struct rights *rights, const char *grant, const char *shown)
{
	return strncmp(grant, "GRANT USAGE ON ", 15) == 0 ||
	       (strcmp(shown, rights->wanted) == 0 &&
		strstr(grant, " WITH GRANT OPTION") == NULL);
}

static void on_measuring_grant(const struct column *columns, void *arg)
{
	struct rights *rights = arg;
	const struct check *check = rights->check;
	const char *grant = columns[0].data;
	char *shown;

	/* MariaDB also shows SET DEFAULT ROLE. */
	if (grant == NULL || strncmp(grant, "GRANT ", 6) != 0)
		return;
	shown = shown_grant(grant);
	rights->inserts = rights->inserts || strstr(shown, "INSERT") != NULL ||
			  strstr(shown, "ALL PRIVILEGES") != NULL ||
			  strstr(shown, " ON ") == NULL;	/* a role, which may */
	if (!is_wanted(rights, grant, shown))
		report_add(check->report, LEVEL_WARNING, "grant-more",
			   check->config->database.user, rights->cure,
			   "it may do more than mumctl measure needs: %s", shown);
	free(shown);
}

void check_measure(const struct check *check)
{
	struct rights rights = { .check = check, .cure = cure_of_rights(check) };

	rights.wanted = xasprintf("GRANT INSERT ON `%s`.`size_measurements`",
				  check->config->database.name);
	if (check_query(check, "SHOW GRANTS", on_measuring_grant, &rights) && !rights.inserts)
		report_add(check->report, LEVEL_ERROR, "grant-missing", "size_measurements",
			   rights.cure, "%s may not insert what mumctl measure finds",
			   check->config->database.user);
	free(rights.wanted);
	free(rights.cure);
}

/* ---- indexes ---- */

/* InnoDB has all indexes that MUM defines; SQLite needs these, of schema-sqlite.sql. */
static const struct {
	const char *name, *on;
} sqlite_indexes[] = {
	{ "alias_senders_alias_id", "\"alias_senders\" (\"alias_id\")" },
	{ "domains_domain_nocase", "\"domains\" (\"domain\" COLLATE NOCASE)" },
	{ "mailboxes_address_nocase",
	  "\"mailboxes\" (\"local_part\" COLLATE NOCASE, \"domain_id\")" },
	{ "aliases_address_nocase",
	  "\"aliases\" (\"local_part\" COLLATE NOCASE, \"domain_id\")" },
	{ "tls_policies_domain_nocase", "\"tls_policies\" (\"domain\" COLLATE NOCASE)" },
	{ "domains_unicode",
	  "\"domains\" (\"id\") WHERE length(\"domain\") <> length(CAST(\"domain\" AS BLOB))" },
	{ "mailboxes_unicode", "\"mailboxes\" (\"domain_id\") "
	  "WHERE length(\"local_part\") <> length(CAST(\"local_part\" AS BLOB))" },
	{ "aliases_unicode", "\"aliases\" (\"domain_id\") "
	  "WHERE length(\"local_part\") <> length(CAST(\"local_part\" AS BLOB))" },
	{ "tls_policies_unicode", "\"tls_policies\" (\"id\") "
	  "WHERE length(\"domain\") <> length(CAST(\"domain\" AS BLOB))" },
};

static const struct {
	const char *table, *column;	/* the first column of an index */
} mariadb_indexes[] = {
	{ "domains", "domain" }, { "mailboxes", "local_part" },
	{ "aliases", "local_part" }, { "alias_recipients", "alias_id" },
	{ "alias_senders", "alias_id" }, { "tls_policies", "domain" },
};

static void on_any_row(const struct column *columns, void *arg)
{
	(void)columns;
	*(bool *)arg = true;
}

static void check_index(const struct check *check, const char *where, const char *sql,
			const char *mend)
{
	bool there = false;

	if (check_query(check, sql, on_any_row, &there) && !there)
		report_add(check->report, LEVEL_WARNING, "index-missing", where, mend,
			   "without this index each lookup reads the whole table");
}

static void check_sqlite_indexes(const struct check *check)
{
	struct report *report = check->report;

	for (size_t i = 0; i < sizeof(sqlite_indexes) / sizeof(sqlite_indexes[0]); i++) {
		const char *name = sqlite_indexes[i].name;

		check_index(check, name,
			    report_text(report, "SELECT 1 FROM sqlite_master WHERE "
					"type = 'index' AND name = '%s'", name),
			    report_text(report, "CREATE INDEX \"%s\" ON %s", name,
					sqlite_indexes[i].on));
	}
}

static void check_mariadb_indexes(const struct check *check)
{
	struct report *report = check->report;

	for (size_t i = 0; i < sizeof(mariadb_indexes) / sizeof(mariadb_indexes[0]); i++) {
		const char *table = mariadb_indexes[i].table;
		const char *column = mariadb_indexes[i].column;

		check_index(check, report_text(report, "%s.%s", table, column),
			    report_text(report, "SELECT 1 FROM information_schema.statistics WHERE "
					"table_schema = DATABASE() AND table_name = '%s' AND "
					"column_name = '%s' AND seq_in_index = 1", table, column),
			    report_text(report, "CREATE INDEX %s_%s ON %s (%s)", table, column,
					table, column));
	}
}

void check_indexes(const struct check *check)
{
	if (check_is_sqlite(check))
		check_sqlite_indexes(check);
	else
		check_mariadb_indexes(check);
}
