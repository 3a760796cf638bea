/* SPDX-License-Identifier: MIT */
/*
 * Which folders of this machine belong: what rows name, and what is on the way there. A
 * folder is known by its path and by its inode, whichever link or mount leads to it.
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
 * Looks at all that the rows name. NULL if something there cannot be looked at: then
 * nobody knows what belongs; *why_r says what that is, and the caller frees it.
 */
struct home_names *home_names_new(const struct home_rows *rows, char **why_r);
void home_names_free(struct home_names **names);	/* sets NULL; NULL is fine */

/* All flags that hold. path is normal. */
unsigned home_names_judge(const struct home_names *names, const char *path,
			  const struct stat *status);
/* Is it a home, or inside one? Looks at the folders above it, too. */
bool home_names_is_inside(const struct home_names *names, const char *path);
/* Is the path, which a row names, there? */
bool home_names_is_there(const struct home_names *names, const char *path);
/* The path without links, as far as it exists. Caller frees. */
char *home_names_real(const char *path);

#endif
