/* SPDX-License-Identifier: MIT */
/*
 * What MUM says about a key: rows (rows.h), before any rule. Facts never change once
 * they are complete; several owners share them by count.
 */
#ifndef MUM_FACTS_H
#define MUM_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"
#include "common/arena.h"
#include "common/rows.h"
#include "common/status.h"

enum question_kind {
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

/* A set of enum question_kind, asked together. */
#define MUM_ASK(kind) (1U << (kind))
/* In such a set: the database itself must answer, and the cache does not count. */
#define MUM_FRESH (1U << 31)
/* In such a set: what needs no fetch is answered inside the call that asks. */
#define MUM_AT_ONCE (1U << 30)

/* How the log and the metrics name it. */
const char *mum_question_name(enum question_kind kind);
/* What its key is; MUM_USERS has an id instead. */
enum address_kind mum_question_key(enum question_kind kind);
/* May facts be kept, and serve several who ask? */
bool mum_question_is_cached(enum question_kind kind);
/* Is it asked for mail, by mumd? The others are the Dovecot module's. */
bool mum_question_is_for_mail(enum question_kind kind);

/* One column of a result row; data is NULL for SQL NULL, else NUL-terminated. */
struct column {
	const char *data;
	size_t len;
};
/* Of a column that is 0 or 1; NULL is false. */
bool column_is_true(const struct column *column);
/* Neither NULL nor cut short by a NUL byte? */
bool column_is_whole(const struct column *column);
/* Of a column that is an id; 0 for NULL. */
uint64_t column_number(const struct column *column);

struct facts {
	enum question_kind kind;	/* says which member of the union is valid */
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
	struct arena arena;		/* owns every string in the rows, unless they are packed */
	size_t refs;
	bool packed;			/* the rows and their strings are in its own block */
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
	/* address.catch_all_senders: then MUM_NAME is asked together with MUM_OWNERS. */
	bool catch_all_senders;
	const struct address *address;	/* NULL with MUM_NOT_FOUND and MUM_USERS */
	struct facts *facts[MUM_QUESTIONS];	/* NULL where not asked; see facts_ref() */
	const char *reason;		/* for the log; NULL with MUM_FOUND */
};
/* The answer, and all it points to, is gone when the callback returns. */
typedef void mum_answer_fn(const struct mum_answer *answer, void *arg);

/* Empty facts with one reference, to be filled by facts_add_row(). */
struct facts *facts_new(enum question_kind kind);
struct facts *facts_ref(struct facts *facts);
void facts_unref(struct facts **facts);	/* wipes what it frees: hashes pass here */

/*
 * Reads one row of the statement for the question; its columns are listed in
 * columns.h. Leaves out rows that a collation or an index found but that are
 * not the name asked for. False with *why (static) when the row cannot be read,
 * which makes the whole answer worthless.
 */
bool facts_add_row(struct facts *facts, const struct address *address,
		   size_t form, const struct column *columns, const char **why);
/* All rows are there: puts them into their order. */
void facts_complete(struct facts *facts);
/* Room for a zeroed row that no table has, behind the others. The caller fills it. */
void *facts_new_row(struct facts *facts);
/*
 * The same facts with one reference, in one block of memory: they take less, and a rule that
 * reads them finds all in one place. For those who keep them, and for kinds that may be kept
 * (mum_question_is_cached()); no row can be added.
 */
struct facts *facts_pack(const struct facts *facts);

#endif
