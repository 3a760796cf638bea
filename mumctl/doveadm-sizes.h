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

enum { SIZES_KIB_BITS = 50 };	/* a number with more bits is no size */

/* Takes the line apart. False if it is no row with a size: a header, a message, anything. */
bool sizes_read_row(enum sizes_source source, char *line, struct size_row *row_r);

/*
 * The user for whom something failed, by a line of doveadm's standard error:
 * "doveadm(USER)... Error: ...". NULL if it is no such line. Ends the line behind USER.
 */
const char *sizes_read_error(char *line);

#endif
