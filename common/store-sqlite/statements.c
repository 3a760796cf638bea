/* SPDX-License-Identifier: MIT */
#include "common/store-sqlite/statements.h"

#include "common/columns.h"

/*
 * MUM's collation on MariaDB ignores case; SQLite's columns compare bytes. So
 * candidates come through an index for ASCII case, and where a stored name is
 * not ASCII, through the folding of address-fold.c. See conf-examples/schema-sqlite.sql.
 */
#define PAIRS \
	"WITH k(i, u, d) AS MATERIALIZED (SELECT key + 1, json_extract(value, '$[0]')," \
	" json_extract(value, '$[1]') FROM json_each(?1)) "

#define IS_UNICODE(column) "length(" column ") <> length(CAST(" column " AS BLOB))"

/* Every id is > 0. Without this condition SQLite would read all domains, not two indexes. */
#define SAME_DOMAIN(table) \
	"(" table ".domain = k.d COLLATE NOCASE OR (" table ".id > 0 AND " \
	IS_UNICODE(table ".domain") " AND mum_fold_domain(" table ".domain) = k.d)) "

#define SAME_LOCAL(table) \
	"((" table ".domain_id = d.id AND " table ".local_part = k.u COLLATE NOCASE) OR (" \
	table ".domain_id = d.id AND " IS_UNICODE(table ".local_part") \
	" AND mum_fold_local(" table ".local_part) = k.u)) "

#define JOIN_DOMAIN "CROSS JOIN domains d ON " SAME_DOMAIN("d")
#define JOIN_MAILBOX JOIN_DOMAIN "CROSS JOIN mailboxes m ON " SAME_LOCAL("m")

#define TEXT(column) column

const struct sqlite_statement sqlite_statements[MUM_QUESTIONS] = {
	[MUM_DOMAIN] = {
		PAIRS "SELECT k.i, " DOMAIN_COLUMNS_SQL " FROM k " JOIN_DOMAIN,
		DOMAIN_COLUMNS
	},
	/* Expired as in MUM's aliases:deactivate: before now. */
	[MUM_DELIVERY] = {
		PAIRS "SELECT k.i, " DELIVERY_COLUMNS_SQL("?2") " FROM k " JOIN_DOMAIN
		"LEFT JOIN mailboxes m ON " SAME_LOCAL("m")
		"LEFT JOIN aliases a ON " SAME_LOCAL("a")
		"LEFT JOIN alias_recipients r ON r.alias_id = a.id "
		"LEFT JOIN mailboxes rm ON rm.id = r.mailbox_id "
		"LEFT JOIN domains rd ON rd.id = rm.domain_id "
		"WHERE m.id IS NOT NULL OR a.id IS NOT NULL",
		DELIVERY_COLUMNS
	},
	/* A row for each name in MUM's domains, even if nothing has that name. */
	[MUM_NAME] = {
		PAIRS "SELECT k.i, " NAME_COLUMNS_SQL("?2") " FROM k " JOIN_DOMAIN
		"LEFT JOIN mailboxes m ON " SAME_LOCAL("m")
		"LEFT JOIN aliases a ON " SAME_LOCAL("a"),
		NAME_COLUMNS
	},
	[MUM_OWNERS] = {
		PAIRS "SELECT k.i, " OWNER_MAILBOX_COLUMNS_SQL(TEXT) " FROM k " JOIN_MAILBOX
		"UNION ALL "
		"SELECT k.i, " OWNER_ALIAS_COLUMNS_SQL(TEXT, "?2") " FROM k " JOIN_DOMAIN
		"CROSS JOIN aliases a ON " SAME_LOCAL("a")
		"CROSS JOIN alias_senders s ON s.alias_id = a.id "
		"CROSS JOIN mailboxes o ON o.id = s.mailbox_id "
		"CROSS JOIN domains od ON od.id = o.domain_id",
		OWNER_COLUMNS
	},
	[MUM_TLS] = {
		PAIRS "SELECT k.i, " TLS_COLUMNS_SQL " FROM k "
		"CROSS JOIN tls_policies t ON " SAME_DOMAIN("t"),
		TLS_COLUMNS
	},
	[MUM_CREDENTIAL] = {
		PAIRS "SELECT k.i, " CREDENTIAL_COLUMNS_SQL " FROM k " JOIN_MAILBOX,
		CREDENTIAL_COLUMNS
	},
	[MUM_USER] = {
		PAIRS "SELECT k.i, " USER_COLUMNS_SQL " FROM k " JOIN_MAILBOX,
		USER_COLUMNS
	},
	[MUM_USERS] = {
		"SELECT 1, " LISTED_COLUMNS_SQL
		" FROM mailboxes m CROSS JOIN domains d ON d.id = m.domain_id"
		" WHERE m.id > CAST(?3 AS INTEGER) ORDER BY m.id LIMIT 1000",
		LISTED_COLUMNS
	},
};
