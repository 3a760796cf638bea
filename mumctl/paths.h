/* SPDX-License-Identifier: MIT */
/* Paths as texts, without a look at the disk. Pure. */
#ifndef MUM_CTL_PATHS_H
#define MUM_CTL_PATHS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Without empty parts, "." and slashes at its end; "/" for the root. NULL if it is not
 * absolute, or has "..", because only the disk can say what that means. Caller frees.
 */
char *path_normal(const char *path);

/* The length of the path of its folder: 1 for "/x" and "/". path is normal. */
size_t path_parent_len(const char *path);

/* Is path below outer, or the same? Both are normal. */
bool path_is_in(const char *path, const char *outer);
/* For qsort(): all that is in a path comes right behind it. */
int path_compare(const char *one, const char *other);

/*
 * Finds homes inside homes. Call nesting_enter() with each home, in the order of
 * path_compare(). If the home is in an outer one, or the same, it returns the owner of that;
 * else NULL, and the home is the outer one from then on.
 */
struct nesting {
	char *outer, *owner;
};

const char *nesting_enter(struct nesting *nesting, const char *home, const char *owner);
void nesting_clear(struct nesting *nesting);

/* One word of bash: quoted, and printable whatever it holds. Caller frees. */
char *path_shell_word(const char *text);

#endif
