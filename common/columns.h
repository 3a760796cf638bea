/* SPDX-License-Identifier: MIT */
/*
 * The columns of each statement, in order: first as numbers, by which facts.c reads them,
 * then as SQL, with the names that the statements give to the tables. Booleans are '0' or '1'.
 */
#ifndef MUM_COLUMNS_H
#define MUM_COLUMNS_H

/* Which of the pairs (name-pairs.h) the row answers; first in each statement. */
enum { COLUMN_PAIR = 0 };

enum { DOMAIN_NAME = 1, DOMAIN_ACTIVE, DOMAIN_COLUMNS };
#define DOMAIN_COLUMNS_SQL "d.domain, d.active"

/* The first five are the same in every statement about mailboxes. */
enum {
	MAILBOX_LOCAL = 1,
	MAILBOX_DOMAIN,
	MAILBOX_DOMAIN_ACTIVE,
	MAILBOX_ACTIVE,
	MAILBOX_SEND_ONLY,
	MAILBOX_COLUMNS,

	CREDENTIAL_PASSWORD = MAILBOX_COLUMNS,
	CREDENTIAL_COLUMNS,

	USER_HOMEDIR = MAILBOX_COLUMNS,
	USER_MAILDIR,
	USER_QUOTA,			/* of the mailbox, or NULL */
	USER_DOMAIN_QUOTA,
	USER_COLUMNS,

	LISTED_ID = MAILBOX_COLUMNS,
	LISTED_COLUMNS
};
#define MAILBOX_COLUMNS_SQL "m.local_part, d.domain, d.active, m.active, m.send_only"
#define CREDENTIAL_COLUMNS_SQL MAILBOX_COLUMNS_SQL ", m.password"
#define USER_COLUMNS_SQL MAILBOX_COLUMNS_SQL ", m.homedir, m.maildir, m.quota, d.quota"
#define LISTED_COLUMNS_SQL MAILBOX_COLUMNS_SQL ", m.id"

/* An address with its mailbox and alias; a row for each alias recipient. */
enum {
	DELIVERY_DOMAIN = 1,
	DELIVERY_DOMAIN_ACTIVE,
	DELIVERY_MAILBOX_LOCAL,		/* NULL: no such mailbox */
	DELIVERY_MAILBOX_ACTIVE,
	DELIVERY_MAILBOX_SEND_ONLY,
	DELIVERY_ALIAS_LOCAL,		/* NULL: no such alias */
	DELIVERY_ALIAS_ACTIVE,
	DELIVERY_ALIAS_EXPIRED,
	RECIPIENT_ID,			/* NULL: no recipients */
	RECIPIENT_ADDRESS,
	RECIPIENT_MAILBOX,		/* mailbox_id, or NULL */
	RECIPIENT_MAILBOX_LOCAL,	/* NULL: there is no mailbox of that id */
	RECIPIENT_MAILBOX_DOMAIN,
	RECIPIENT_MAILBOX_ACTIVE,
	RECIPIENT_MAILBOX_DOMAIN_ACTIVE,
	RECIPIENT_MAILBOX_SEND_ONLY,
	DELIVERY_COLUMNS,

	/* What a name stands for; the first columns are those above. */
	NAME_HAS_RECIPIENTS = DELIVERY_ALIAS_EXPIRED + 1,
	NAME_COLUMNS
};
/* NOW: SQL for the time; compared with "<", as by MUM's aliases:deactivate. */
#define ALIAS_COLUMNS_SQL(NOW) "a.local_part, a.active, a.deactivate_at < " NOW
#define RECIPIENT_COLUMNS_SQL \
	"r.id, r.recipient_address, r.mailbox_id, rm.local_part, rd.domain, rm.active," \
	" rd.active, rm.send_only"
#define HAS_RECIPIENTS_SQL \
	"EXISTS (SELECT 1 FROM alias_recipients r WHERE r.alias_id = a.id" \
	" AND (r.mailbox_id IS NOT NULL OR " RECIPIENT_IS_TEXT("r.recipient_address") "))"
#define ADDRESS_COLUMNS_SQL(NOW) \
	DOMAIN_COLUMNS_SQL ", m.local_part, m.active, m.send_only, " ALIAS_COLUMNS_SQL(NOW)
#define DELIVERY_COLUMNS_SQL(NOW) ADDRESS_COLUMNS_SQL(NOW) ", " RECIPIENT_COLUMNS_SQL
#define NAME_COLUMNS_SQL(NOW) ADDRESS_COLUMNS_SQL(NOW) ", " HAS_RECIPIENTS_SQL

/*
 * SQL, for every database, that is true if a recipient's text holds more than the
 * blanks of text_trim(). The SQL holds them unescaped, because escapes depend on
 * sql_mode and CHAR() gives bytes.
 */
#define RECIPIENT_IS_TEXT(COLUMN) \
	"TRIM(REPLACE(REPLACE(REPLACE(" COLUMN ", '\t', ''), '\n', ''), '\r', '')) <> ''"

/* Who may send as an address: its mailbox, or a sender of its alias. */
enum {
	OWNED_LOCAL = 1,
	OWNED_DOMAIN,
	OWNED_DOMAIN_ACTIVE,
	OWNER_ID,			/* of the alias sender; 0: the mailbox itself */
	OWNER_ALIAS_ACTIVE,
	OWNER_ALIAS_EXPIRED,
	OWNER_LOCAL,
	OWNER_DOMAIN,
	OWNER_MAILBOX_ACTIVE,
	OWNER_MAILBOX_DOMAIN_ACTIVE,
	OWNER_COLUMNS
};
/* TEXT: the SQL for a column of text; a UNION mixes the columns of two tables. */
#define OWNER_MAILBOX_COLUMNS_SQL(TEXT) \
	TEXT("m.local_part") ", d.domain, d.active, 0, 0, 0, " TEXT("m.local_part") \
	", d.domain, m.active, d.active"
#define OWNER_ALIAS_COLUMNS_SQL(TEXT, NOW) \
	TEXT("a.local_part") ", d.domain, d.active, s.id, a.active, a.deactivate_at < " NOW ", " \
	TEXT("o.local_part") ", od.domain, o.active, od.active"

enum { TLS_DOMAIN = 1, TLS_POLICY, TLS_PARAMS, TLS_ACTIVE, TLS_COLUMNS };
#define TLS_COLUMNS_SQL "t.domain, t.policy, t.params, t.active"

/* Enough for any statement. */
enum { COLUMNS_MAX = DELIVERY_COLUMNS };

#endif
