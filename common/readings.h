/* SPDX-License-Identifier: MIT */
/*
 * What Postfix may make of an address before it looks for its mailbox. Policy
 * services are told an address as it was typed; trivial-rewrite(8) completes and
 * reorders it first ("user@d.", "d!user", "user%d", "user", ...), and reads the local
 * part again where the domain is one that Postfix delivers to itself. Pure.
 */
#ifndef MUM_READINGS_H
#define MUM_READINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"

enum {
	READINGS_MAX = 8,
	READING_TEXT_MAX = 4096	/* bytes; a line of SMTP has 2048 (line_length_limit) */
};

/* What the readings depend on, named as in postconf(5). Never NULL. */
struct reading_settings {
	bool allow_percent_hack, swap_bangpath;
	const char *myorigin;
	const char *mydomain;	/* "": append_dot_mydomain is "no" */
};

struct reading {
	const char *text;	/* "local@domain" without quotes, for address_new() */
	/*
	 * This reading counts only if the domain of the one before is local: named in
	 * mydestination, or an address of this machine in brackets.
	 */
	bool if_local;
};

struct readings {
	size_t count;		/* at least 1 */
	struct reading items[READINGS_MAX];	/* in the order in which Postfix comes to them */
	struct arena arena;	/* owns every text */
};

/*
 * Makes all readings of the text, which has no quotes: policy services get it so.
 * False when there are more than READINGS_MAX, or the text has more than
 * READING_TEXT_MAX bytes: then nobody can say where the address leads. The caller
 * frees the readings in either case.
 */
bool readings_make(struct readings *readings, const char *text,
		   const struct reading_settings *settings);
void readings_free(struct readings *readings);

/* The domain of a reading, "" if it has none; a view. */
const char *reading_domain(const struct reading *reading);

#endif
