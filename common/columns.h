/* SPDX-License-Identifier: MIT */
/*
 * The columns of each statement, in order. Both stores select them and
 * facts.c reads them; booleans are '0' or '1'.
 */
#ifndef MUM_COLUMNS_H
#define MUM_COLUMNS_H

/* Which of the asked pairs (store.h) the row answers; first in each statement. */
enum { COLUMN_PAIR = 0 };

enum { DOMAIN_NAME = 1, DOMAIN_ACTIVE, DOMAIN_COLUMNS };

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

/* An address: its mailbox, its alias, and a row for each recipient of that. */
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

/*
 * SQL, for every database, that is true if a recipient's text holds more than the
 * blanks of text_trim(). The blanks stand in it unescaped, because escapes depend on
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

enum { TLS_DOMAIN = 1, TLS_POLICY, TLS_PARAMS, TLS_ACTIVE, TLS_COLUMNS };

/* Enough for any statement. */
enum { COLUMNS_MAX = DELIVERY_COLUMNS };

#endif
