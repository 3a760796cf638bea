/* SPDX-License-Identifier: MIT */
/*
 * The rows of each question, as the tables tell them: plain data, active or not. states.h
 * says what is true of a row.
 */
#ifndef MUM_ROWS_H
#define MUM_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Each row begins with the number of the form that it answers. Each address with the
 * same key has this form, however old the facts are (address.h).
 */
struct domain_row {
	size_t form;
	const char *name;
	bool active;
};

/*
 * What MUM knows of the address that a recipient of an alias stands for. All is
 * false for an address in a domain that is no active one of MUM's.
 */
struct behind {
	bool ours;		/* its domain is an active one of MUM's */
	bool known;		/* there is a mailbox or an alias of that name, active or not */
	bool alias;		/* one that is active, not expired, and has recipients */
	bool mailbox, send_only;	/* an active one, and whether it only sends */
	/*
	 * The alias's own name, with an extension or in another spelling. Postfix
	 * would come back to the alias and never end.
	 */
	bool alias_itself;
	bool elsewhere;		/* another map of Postfix may know it: address.other_maps */
	bool fallback;		/* a role or a catch-all takes its mail */
};

/*
 * A mailbox or an alias has at least one row, an alias one for each recipient. A mailbox,
 * an alias or a recipient that does not exist is NULL, and its flags are false.
 */
struct delivery_row {
	size_t form;
	bool domain_active;
	const char *mailbox;		/* stored address */
	bool mailbox_active, mailbox_send_only;
	const char *alias;		/* stored address */
	bool alias_active, alias_expired;
	uint64_t recipient_id;
	const char *recipient;		/* the text as stored; NULL: no recipient */
	/*
	 * The recipient's address: the present one of its mailbox, whatever the text
	 * says, else the text without blanks around it. NULL: the mailbox is gone.
	 */
	const char *stands_for;
	bool recipient_local;		/* names a mailbox: the next three are set */
	bool recipient_active, recipient_domain_active, recipient_send_only;
	struct behind behind;		/* set by recipients.h, where that must be asked */
	/*
	 * So many live recipients were left out, because no mail server takes as
	 * many; see recipients_without_excess(). 0: none.
	 */
	size_t left_out;
};

/* A name in a domain of MUM's; what is not there is false. */
struct name_row {
	size_t form;
	bool domain_active;
	bool mailbox, mailbox_active, mailbox_send_only;
	bool alias, alias_active, alias_expired, alias_has_recipients;
};

/* One mailbox that may use the address: its own, or an alias sender. */
struct owner_row {
	size_t form;
	uint64_t id;			/* of the alias sender; 0: the mailbox itself */
	const char *login;		/* stored address of the mailbox */
	bool domain_active;		/* of the address asked for */
	bool alias_active, alias_expired;	/* with an id */
	bool mailbox_active, mailbox_domain_active;
};

struct mailbox_row {
	size_t form;
	const char *address;
	bool domain_active, active, send_only;
};

struct tls_row {
	size_t form;
	const char *policy;
	const char *params;		/* NULL or empty if none */
	bool active;
};

struct credential_row {
	struct mailbox_row mailbox;
	/* Hash as stored; NULL: none, or it holds control characters or invalid UTF-8. */
	const char *password;
};

struct user_row {
	struct mailbox_row mailbox;
	const char *homedir, *maildir;	/* NULL under the same conditions as the password */
	/* GB, decimal, as stored; NULL: none of its own; "" if no clean text. */
	const char *quota, *domain_quota;
};

struct listed_row {
	struct mailbox_row mailbox;	/* its form is not used */
	uint64_t id;			/* the key of the next page */
};

#endif
