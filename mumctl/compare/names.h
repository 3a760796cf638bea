/* SPDX-License-Identifier: MIT */
/* The names that compare asks both sides about, and where they come from. */
#ifndef MUM_COMPARE_NAMES_H
#define MUM_COMPARE_NAMES_H

#include <stdbool.h>

#include "common/address.h"
#include "common/inspect.h"
#include "common/keyed-hash.h"

enum {
	NAME_IS_DOMAIN = 1,
	NAME_IS_RECIPIENT = 2,
	NAME_IS_SENDER = 4,
	NAME_IS_NEXT_HOP = 8,
	NAME_IS_LOGIN = 16,
	NAME_IS_ANY = 31
};

struct name {
	UT_hash_handle hh;	/* hh.next: the next name, in the order in which they came */
	unsigned kinds;		/* NAME_IS_...: as what it is compared */
	unsigned searched;	/* also: as what stock is asked, to find another name */
	char text[];
};

struct names {
	struct keyed_hash hash;
	struct name *first;
};

void names_init(struct names *names);
void names_clear(struct names *names);
void names_add(struct names *names, const char *text, size_t len, unsigned kinds);
/* Every name of the database. False: it has complained. */
bool names_read_database(struct names *names, struct inspect *db);
/* A regular file of names, one on a line, each of all kinds. False: it has complained. */
bool names_read_file(struct names *names, const char *path);
/*
 * Postfix looks for an address in several forms: in quotes and without, with its
 * extension and without. Adds those forms only to ask stock, not to compare them.
 */
void names_add_forms(struct names *names, const char *delimiters);
/* An address in one of its forms, with the domain as it is. Caller frees. */
char *name_form(const char *address, const struct address_form *form);
/* Is the form only the folded beginning of the address, without quotes added or removed? */
bool name_is_form(const char *address, const struct address_form *form);

/* ---- the mail log ---- */

/* A login and an address that it sent as. */
struct sent {
	UT_hash_handle hh;	/* hh.next is the next one */
	size_t mails;
	char *login, *sender;	/* of mail in the log; both are text_is_clean() */
	char key[];
};

struct sents {
	struct keyed_hash hash;
	struct sent *first;
};

void sents_init(struct sents *sents);
void sents_clear(struct sents *sents);

/*
 * Adds the recipients, senders and logins of a Postfix log to names, and who sent as
 * what to sents. path: "-" for standard input. It complains if it reaches one of its
 * limits. False if the log cannot be read: it has complained.
 */
bool log_read(const char *path, struct names *names, struct sents *sents);

#endif
