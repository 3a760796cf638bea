/* SPDX-License-Identifier: MIT */
/* Encryption, columns, grants and indexes: what the database server can tell. */
#include "mumctl/check/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/xalloc.h"
#include "mumctl/grants.h"

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
	char *where = xasprintf("%s.%s", grant->table, column);
	char *user = account(check);
	char *cure = grant_statement(grant, check->config->database.name, user);

	if (error->trouble == INSPECT_DENIED)
		report_add(check->report, LEVEL_ERROR, "grant-missing", where, cure, "%s",
			   error->text);
	else
		report_add(check->report, LEVEL_ERROR, "schema-missing", where,
			   "is this MUM's database, and are its migrations done?", "%s",
			   error->text);
	free(where);
	free(user);
	free(cure);
}

/* The table as a whole first; only in trouble each column for itself. */
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
			break;	/* not the column's trouble */
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
 * The statements after which the user has the rights that it needs and no others.
 * A further GRANT takes nothing away. Caller frees.
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

struct grantee {
	const struct check *check;
	char *cure;
};

static void on_grant(const struct column *columns, void *arg)
{
	const struct grantee *grantee = arg;
	const struct check *check = grantee->check;
	const char *grant = columns[0].data;

	if (grant == NULL || !is_writing(grant))
		return;
	/* "IDENTIFIED BY PASSWORD '...'" follows in a global one. */
	report_add(check->report, LEVEL_WARNING, "grant-writes",
		   check->config->database.user, grantee->cure,
		   "it may change data, which it never needs: %.*s",
		   (int)(strstr(grant, " TO ") != NULL ? strstr(grant, " TO ") - grant
						       : (ptrdiff_t)strlen(grant)),
		   grant);
}

void check_grants(const struct check *check)
{
	struct grantee grantee = { check, NULL };
	struct inspect_error error;

	if (check_is_sqlite(check))
		return;
	grantee.cure = cure_of_rights(check);
	check_query(check, "SHOW GRANTS", on_grant, &grantee);
	if (check->role == MUM_ROLE_POSTFIX && can_read(check, "mailboxes", "password", &error))
		report_add(check->report, LEVEL_WARNING, "grant-password",
			   check->config->database.user, grantee.cure,
			   "it can read mailboxes.password, which mumd never needs");
	free(grantee.cure);
}

/* ---- indexes ---- */

/* InnoDB has all of MUM's; SQLite lacks those of schema-sqlite.sql. */
static const struct {
	const char *name, *sql;
} sqlite_indexes[] = {
	{ "alias_senders_alias_id",
	  "CREATE INDEX \"alias_senders_alias_id\" ON \"alias_senders\" (\"alias_id\")" },
	{ "domains_domain_nocase",
	  "CREATE INDEX \"domains_domain_nocase\" ON \"domains\" "
	  "(\"domain\" COLLATE NOCASE)" },
	{ "mailboxes_address_nocase",
	  "CREATE INDEX \"mailboxes_address_nocase\" ON \"mailboxes\" "
	  "(\"local_part\" COLLATE NOCASE, \"domain_id\")" },
	{ "aliases_address_nocase",
	  "CREATE INDEX \"aliases_address_nocase\" ON \"aliases\" "
	  "(\"local_part\" COLLATE NOCASE, \"domain_id\")" },
	{ "tls_policies_domain_nocase",
	  "CREATE INDEX \"tls_policies_domain_nocase\" ON \"tls_policies\" "
	  "(\"domain\" COLLATE NOCASE)" },
	{ "domains_unicode",
	  "CREATE INDEX \"domains_unicode\" ON \"domains\" (\"id\") "
	  "WHERE length(\"domain\") <> length(CAST(\"domain\" AS BLOB))" },
	{ "mailboxes_unicode",
	  "CREATE INDEX \"mailboxes_unicode\" ON \"mailboxes\" (\"domain_id\") "
	  "WHERE length(\"local_part\") <> length(CAST(\"local_part\" AS BLOB))" },
	{ "aliases_unicode",
	  "CREATE INDEX \"aliases_unicode\" ON \"aliases\" (\"domain_id\") "
	  "WHERE length(\"local_part\") <> length(CAST(\"local_part\" AS BLOB))" },
	{ "tls_policies_unicode",
	  "CREATE INDEX \"tls_policies_unicode\" ON \"tls_policies\" (\"id\") "
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
	for (size_t i = 0; i < sizeof(sqlite_indexes) / sizeof(sqlite_indexes[0]); i++) {
		char *sql = xasprintf("SELECT 1 FROM sqlite_master WHERE type = 'index' "
				      "AND name = '%s'", sqlite_indexes[i].name);

		check_index(check, sqlite_indexes[i].name, sql, sqlite_indexes[i].sql);
		free(sql);
	}
}

static void check_mariadb_indexes(const struct check *check)
{
	for (size_t i = 0; i < sizeof(mariadb_indexes) / sizeof(mariadb_indexes[0]); i++) {
		const char *table = mariadb_indexes[i].table;
		const char *column = mariadb_indexes[i].column;
		char *sql = xasprintf("SELECT 1 FROM information_schema.statistics WHERE "
				      "table_schema = DATABASE() AND table_name = '%s' AND "
				      "column_name = '%s' AND seq_in_index = 1", table, column);
		char *where = xasprintf("%s.%s", table, column);
		char *mend = xasprintf("CREATE INDEX %s_%s ON %s (%s)", table, column, table,
				       column);

		check_index(check, where, sql, mend);
		free(mend);
		free(where);
		free(sql);
	}
}

void check_indexes(const struct check *check)
{
	if (check_is_sqlite(check))
		check_sqlite_indexes(check);
	else
		check_mariadb_indexes(check);
}
