/* SPDX-License-Identifier: MIT */
#include "common/store-mariadb/statements.h"

#include "common/columns.h"
#include "common/store-mariadb/collations.h"

/*
 * A statement takes any number of names at once, as JSON. So one statement serves all
 * lookups that wait: most of the server's cost is per statement. k.i (1..n) leads a
 * row back to the pair that asked. A single pair comes as parameters instead, if all
 * columns are utf8mb4 as the parameters are. STRAIGHT_JOIN keeps the plan at one
 * access by an index for each name and table, however large the tables are. MySQL needs
 * the hint for it, which MariaDB takes for a comment: MySQL does not know how many names
 * there are, and may read a whole table to hash it. Rows are joined here and judged in
 * rules.c, so no WHERE asks what is active.
 */
#define TYPE(COLUMN) "{type " COLUMN "}"

/* The names, each with the type of the column that it is compared with. */
#define KEY_DOMAIN ", domain " TYPE(COLUMN_DOMAIN) " PATH '$[1]'"
#define KEY_MAILBOX ", mailbox " TYPE(COLUMN_MAILBOX) " PATH '$[0]'"
#define KEY_ALIAS ", alias " TYPE(COLUMN_ALIAS) " PATH '$[0]'"
#define KEY_TLS ", tls " TYPE(COLUMN_TLS) " PATH '$[1]'"

/*
 * If a column is altered later, its collation no longer matches the one in JSON_TABLE,
 * and names would not be found: the server prepares the statement again by itself,
 * mostly without an error. So the statement compares the collations, too. If they
 * differ it fails, even if it has no rows, with error 1690. Nothing else causes that
 * error here, and after it we connect anew (errors.c). The server evaluates this once
 * for a statement, not for each row.
 */
#define UNLESS(COLUMNS, NAMES) \
	" IF(CONCAT(" COLUMNS ") = '" NAMES "', 1, 18446744073709551615 + 1)"
#define IS(COLUMN) "{collation " COLUMN "}"
#define UNCHANGED_DOMAIN UNLESS("COLLATION(d.domain)", IS(COLUMN_DOMAIN))
#define UNCHANGED_MAILBOX \
	UNLESS("COLLATION(d.domain), COLLATION(m.local_part)", \
	       IS(COLUMN_DOMAIN) IS(COLUMN_MAILBOX))
#define UNCHANGED_ALIAS \
	UNLESS("COLLATION(d.domain), COLLATION(a.local_part)", IS(COLUMN_DOMAIN) IS(COLUMN_ALIAS))
#define UNCHANGED_BOTH \
	UNLESS("COLLATION(d.domain), COLLATION(m.local_part), COLLATION(a.local_part)", \
	       IS(COLUMN_DOMAIN) IS(COLUMN_MAILBOX) IS(COLUMN_ALIAS))
#define UNCHANGED_TLS UNLESS("COLLATION(t.domain)", IS(COLUMN_TLS))

/* What differs between the shapes: S below is MANY or ONE. */
#define MANY_SELECT "SELECT /*+ NO_BNL() SET_VAR(max_seeks_for_key=1) */ "
#define MANY_PAIR "k.i"
#define MANY_PAIRS(KEYS) "JSON_TABLE(?, '$[*]' COLUMNS(i FOR ORDINALITY" KEYS ")) k "
#define MANY_DOMAINS(KEYS) MANY_PAIRS(KEYS) "STRAIGHT_JOIN domains d ON d.domain = k.domain "
#define MANY_POLICIES MANY_PAIRS(KEY_TLS) "STRAIGHT_JOIN tls_policies t ON t.domain = k.tls "
#define MANY_MAILBOX "k.mailbox"
#define MANY_ALIAS "k.alias"
#define MANY_IF(ASKED, UNCHANGED) UNCHANGED

#define ONE_SELECT "SELECT "
#define ONE_PAIR "1"
#define ONE_DOMAINS(KEYS) "domains d "
#define ONE_POLICIES "tls_policies t "
#define ONE_MAILBOX "?"
#define ONE_ALIAS "?"
#define ONE_IF(ASKED, UNCHANGED) ASKED

#define ASKED_DOMAIN " d.domain = ?"
#define ASKED_POLICY " t.domain = ?"

#define MAILBOXES(S) \
	S##_DOMAINS(KEY_DOMAIN KEY_MAILBOX) \
	"STRAIGHT_JOIN mailboxes m ON m.local_part = " S##_MAILBOX " AND m.domain_id = d.id "
#define NAMES(S) \
	S##_DOMAINS(KEY_DOMAIN KEY_MAILBOX KEY_ALIAS) \
	"LEFT JOIN mailboxes m ON m.local_part = " S##_MAILBOX " AND m.domain_id = d.id " \
	"LEFT JOIN aliases a ON a.local_part = " S##_ALIAS " AND a.domain_id = d.id "

#define DOMAIN_SQL(S) \
	S##_SELECT S##_PAIR ", " DOMAIN_COLUMNS_SQL " FROM " S##_DOMAINS(KEY_DOMAIN) \
	"WHERE" S##_IF(ASKED_DOMAIN, UNCHANGED_DOMAIN)

/* No ORDER BY, which would cost more than all the rest: facts.c sorts. */
#define DELIVERY_SQL(S) \
	S##_SELECT S##_PAIR ", " DELIVERY_COLUMNS_SQL("?") " FROM " NAMES(S) \
	"LEFT JOIN alias_recipients r ON r.alias_id = a.id " \
	"LEFT JOIN mailboxes rm ON rm.id = r.mailbox_id " \
	"LEFT JOIN domains rd ON rd.id = rm.domain_id " \
	"WHERE (m.id IS NOT NULL OR a.id IS NOT NULL) AND" S##_IF(ASKED_DOMAIN, UNCHANGED_BOTH)

/* A row for each name in one of MUM's domains, even if nothing has that name. */
#define NAME_SQL(S) \
	S##_SELECT S##_PAIR ", " NAME_COLUMNS_SQL("?") " FROM " NAMES(S) \
	"WHERE" S##_IF(ASKED_DOMAIN, UNCHANGED_BOTH)

/* A UNION mixes columns of two tables, so they must have the same collation. */
#define TEXT(COLUMN) "CONVERT(" COLUMN " USING utf8mb4)"

#define OWNERS_SQL(S) \
	S##_SELECT S##_PAIR ", " OWNER_MAILBOX_COLUMNS_SQL(TEXT) " FROM " MAILBOXES(S) \
	"WHERE" S##_IF(ASKED_DOMAIN, UNCHANGED_MAILBOX) \
	" UNION ALL " \
	S##_SELECT S##_PAIR ", " OWNER_ALIAS_COLUMNS_SQL(TEXT, "?") \
	" FROM " S##_DOMAINS(KEY_DOMAIN KEY_ALIAS) \
	"STRAIGHT_JOIN aliases a ON a.local_part = " S##_ALIAS " AND a.domain_id = d.id " \
	"STRAIGHT_JOIN alias_senders s ON s.alias_id = a.id " \
	"STRAIGHT_JOIN mailboxes o ON o.id = s.mailbox_id " \
	"STRAIGHT_JOIN domains od ON od.id = o.domain_id " \
	"WHERE" S##_IF(ASKED_DOMAIN, UNCHANGED_ALIAS)

#define TLS_SQL(S) \
	S##_SELECT S##_PAIR ", " TLS_COLUMNS_SQL " FROM " S##_POLICIES \
	"WHERE" S##_IF(ASKED_POLICY, UNCHANGED_TLS)

#define CREDENTIAL_SQL(S) \
	S##_SELECT S##_PAIR ", " CREDENTIAL_COLUMNS_SQL " FROM " MAILBOXES(S) \
	"WHERE" S##_IF(ASKED_DOMAIN, UNCHANGED_MAILBOX)

#define USER_SQL(S) \
	S##_SELECT S##_PAIR ", " USER_COLUMNS_SQL " FROM " MAILBOXES(S) \
	"WHERE" S##_IF(ASKED_DOMAIN, UNCHANGED_MAILBOX)

/*
 * One page, by the primary key; an empty page is the end. LIMIT stands before the
 * join; behind it, the server would sort the rest of the table for each page.
 */
#define USERS_SQL \
	"SELECT 1, " LISTED_COLUMNS_SQL \
	" FROM (SELECT id, local_part, domain_id, active, send_only FROM mailboxes" \
	" WHERE id > CAST(? AS UNSIGNED) ORDER BY id LIMIT 1000) m" \
	" STRAIGHT_JOIN domains d ON d.id = m.domain_id ORDER BY m.id"

/* The parameters of both shapes, in the order of their question marks. */
#define PARAMS(...) { __VA_ARGS__ }
#define BOTH(SQL, MANY_LIST, ONE_LIST) \
	{ [SHAPE_MANY] = { SQL(MANY), MANY_LIST }, [SHAPE_ONE] = { SQL(ONE), ONE_LIST } }

const struct statement statements[MUM_QUESTIONS] = {
	[MUM_DOMAIN] = {
		BOTH(DOMAIN_SQL, PARAMS(PARAM_PAIRS), PARAMS(PARAM_DOMAIN)),
		DOMAIN_COLUMNS
	},
	[MUM_DELIVERY] = {
		BOTH(DELIVERY_SQL, PARAMS(PARAM_NOW, PARAM_PAIRS),
		     PARAMS(PARAM_NOW, PARAM_LOCAL, PARAM_LOCAL, PARAM_DOMAIN)),
		DELIVERY_COLUMNS
	},
	[MUM_NAME] = {
		BOTH(NAME_SQL, PARAMS(PARAM_NOW, PARAM_PAIRS),
		     PARAMS(PARAM_NOW, PARAM_LOCAL, PARAM_LOCAL, PARAM_DOMAIN)),
		NAME_COLUMNS
	},
	[MUM_OWNERS] = {
		BOTH(OWNERS_SQL, PARAMS(PARAM_PAIRS, PARAM_NOW, PARAM_PAIRS),
		     PARAMS(PARAM_LOCAL, PARAM_DOMAIN, PARAM_NOW, PARAM_LOCAL,
				PARAM_DOMAIN)),
		OWNER_COLUMNS
	},
	[MUM_TLS] = {
		BOTH(TLS_SQL, PARAMS(PARAM_PAIRS), PARAMS(PARAM_DOMAIN)),
		TLS_COLUMNS
	},
	[MUM_CREDENTIAL] = {
		BOTH(CREDENTIAL_SQL, PARAMS(PARAM_PAIRS),
		     PARAMS(PARAM_LOCAL, PARAM_DOMAIN)),
		CREDENTIAL_COLUMNS
	},
	[MUM_USER] = {
		BOTH(USER_SQL, PARAMS(PARAM_PAIRS),
		     PARAMS(PARAM_LOCAL, PARAM_DOMAIN)),
		USER_COLUMNS
	},
	[MUM_USERS] = {
		{ [SHAPE_MANY] = { USERS_SQL, { PARAM_AFTER } } }, LISTED_COLUMNS
	},
};
