/* SPDX-License-Identifier: MIT */
/*
 * What MUM says about a key: plain data, as the rows tell it, before any rule.
 * Facts never change once they are complete; several owners share them by count.
 */
#ifndef MUM_FACTS_H
#define MUM_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/address.h"
#include "common/arena.h"
#include "common/status.h"

enum mum_question {
	MUM_DOMAIN,	/* is this domain ours? */
	MUM_DELIVERY,	/* where does mail to this address go? */
	MUM_NAME,	/* what stands behind this address? Of recipients of aliases */
	MUM_OWNERS,	/* which logins may send as this address? */
	MUM_TLS,	/* which TLS policy has this next hop? */
	MUM_CREDENTIAL,	/* what verifies this login? Never cached */
	MUM_USER,	/* where and how large is this user's mail? */
	MUM_USERS,	/* the next page of users */
	MUM_QUESTIONS
};

/* A set of enum mum_question, asked together. */
#define MUM_ASK(question) (1U << (question))
/* In such a set: the database itself must answer, and the cache does not count. */
#define MUM_FRESH (1U << 31)

/* How the log and the metrics name a question. */
const char *mum_question_name(enum mum_question question);

/* One cell of a result row; data is NULL for SQL NULL, else NUL-terminated. */
struct column {
	const char *data;
	size_t len;
};

/*
 * Each row first says which form of the address it answers: one below forms_count
 * of each address with the same key, however old the facts are (address.h).
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
};

/*
 * One row at least where there is a mailbox or an alias, one for each recipient.
 * What is NULL is not there, and what belongs to it is false.
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
	 * The address that it stands for: the present one of its mailbox, whatever
	 * the text says, else the text without blanks around it. NULL for a mailbox
	 * that is gone.
	 */
	const char *stands_for;
	bool recipient_local;		/* names a mailbox: the next three are set */
	bool recipient_active, recipient_domain_active, recipient_send_only;
	struct behind behind;		/* set by recipients.h, where that must be asked */
	/*
	 * So many live recipients were left out, which is more than any mail server
	 * can be handed; see recipients_without_excess(). 0: none.
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
	/* Hash as stored; NULL if it is, or holds control characters or invalid UTF-8. */
	const char *password;
};

struct user_row {
	struct mailbox_row mailbox;
	const char *homedir, *maildir;	/* NULL as the password */
	/* GB, decimal, as stored; NULL: none of its own; "" where it was dirty. */
	const char *quota, *domain_quota;
};

struct listed_row {
	struct mailbox_row mailbox;	/* its form is not used */
	uint64_t id;			/* the key of the next page */
};

struct facts {
	enum mum_question question;	/* says which member of the union is valid */
	size_t count;
	union {
		struct domain_row *domains;
		struct delivery_row *deliveries;	/* by form, then recipient_id */
		struct name_row *names;		/* by form */
		struct owner_row *owners;	/* by form, then id */
		struct tls_row *tls;
		struct credential_row *credentials;
		struct user_row *users;
		struct listed_row *listed;
		void *rows;
	};
	struct arena arena;		/* owns every string in the rows */
	size_t refs;
};

/* All that was asked about one key at once; what rules judge. */
struct mum_answer {
	/*
	 * MUM_FOUND: the facts are complete, though perhaps without rows.
	 * MUM_NOT_FOUND: no such name can exist (address_new()); no facts.
	 */
	enum mum_status status;
	bool stale;			/* older than cache.ttl, served in trouble */
	unsigned age_ms;		/* of the oldest facts; 0: just read */
	bool drops_extension;		/* address.propagate_extension = false */
	const struct address *address;	/* NULL with MUM_NOT_FOUND and MUM_USERS */
	struct facts *facts[MUM_QUESTIONS];	/* NULL where not asked; see facts_ref() */
	const char *reason;		/* for the log; NULL with MUM_FOUND */
};

/* Empty facts with one reference, to be filled by facts_add_row(). */
struct facts *facts_new(enum mum_question question);
struct facts *facts_ref(struct facts *facts);
void facts_unref(struct facts **facts);	/* wipes what it frees: hashes pass here */

/*
 * Reads one row of the statement for the question; its columns are listed in
 * columns.h. Rows that a collation or index found but that are not the name
 * asked for are passed over. False with *why (static) when the row cannot be
 * read, which makes the whole answer worthless.
 */
bool facts_add_row(struct facts *facts, const struct address *address,
		   size_t form, const struct column *columns, const char **why);
/* All rows are there: puts them into their order. */
void facts_complete(struct facts *facts);

#endif
