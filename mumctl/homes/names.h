/* SPDX-License-Identifier: MIT */
/*
 * Which folders of this machine belong: what rows name, and what is on the way there. A
 * folder is known by its path and by its inode, so by whichever link or mount it is reached.
 */
#ifndef MUM_HOMES_NAMES_H
#define MUM_HOMES_NAMES_H

#include <sys/stat.h>

#include "mumctl/homes/rows.h"

enum belongs {
	BELONGS_TO_NOBODY,
	BELONGS_ABOVE = 1,	/* what a row names is somewhere in it */
	BELONGS_HOME = 2,	/* a row names it: all in it belongs */
	BELONGS_SYSTEM = 4	/* the home of a user of the system; what is in it may not belong */
};

struct home_names;

/*
 * Looks at all that the rows name. NULL when something is there that cannot be looked
 * at, so that nobody knows what belongs; *why_r then says what, and the caller frees it.
 */
struct home_names *home_names_new(const struct home_rows *rows, char **why_r);
void home_names_free(struct home_names **names);	/* sets NULL; NULL is fine */

/* The sum of all that holds. path is normal. */
unsigned home_names_judge(const struct home_names *names, const char *path,
			  const struct stat *status);
/* Is it a home, or inside one? Looks at the folders above it, too. */
bool home_names_is_inside(const struct home_names *names, const char *path);
/* Does a row name it or its place of mail, and is one of them there? */
bool home_names_is_there(const struct home_names *names, const char *path);
/* The path without links, as far as it exists. Caller frees. */
char *home_names_real(const char *path);

#endif
