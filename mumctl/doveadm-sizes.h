/* SPDX-License-Identifier: MIT */
/*
 * What doveadm(1) prints of the sizes of mailboxes, line by line, with "-f tab" and -A.
 * Dovecot 2.3 and 2.4 print the same. Pure.
 */
#ifndef MUM_DOVEADM_SIZES_H
#define MUM_DOVEADM_SIZES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sizes_source {
	SIZES_QUOTA,		/* doveadm quota get: KiB, by the rules of the quota */
	SIZES_VSIZE		/* doveadm mailbox status -t vsize: bytes of all folders */
};

/* argv of doveadm; NULL at its end. */
const char *const *sizes_command(enum sizes_source source);

struct size_row {
	const char *user;	/* as Dovecot names it; points into the line */
	bool known;		/* else Dovecot could not tell: no size */
	uint64_t kib;		/* rounded up */
};

enum { SIZES_KIB_BITS = 50 };	/* a size has fewer bits; what has more is not known */

/* Takes the line apart. False when it is no row with a size: a header, messages, anything. */
bool sizes_read_row(enum sizes_source source, char *line, struct size_row *row_r);

/*
 * Whom a line of doveadm's standard error says that something failed for, "doveadm(USER)...
 * Error: ...". NULL when it is no such line. Makes a text of USER in the line.
 */
const char *sizes_read_error(char *line);

#endif
