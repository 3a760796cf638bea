/* SPDX-License-Identifier: MIT */
/* Paths as texts, without a look at the disk. Pure. */
#ifndef MUM_CTL_PATHS_H
#define MUM_CTL_PATHS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Without empty parts, "." and slashes at its end; "/" for the root. NULL when it is not
 * absolute, or has "..", which only the disk can tell the meaning of. Caller frees.
 */
char *path_normal(const char *path);

/* How long the path of its folder is: 1 for "/x" and "/". path is normal. */
size_t path_parent_len(const char *path);

/* Is it below outer, or outer itself? Both are normal. */
bool path_is_in(const char *path, const char *outer);
/* For qsort(): right behind a path comes all that is in it. */
int path_compare(const char *one, const char *other);

/*
 * Homes inside homes, where they come in the order of path_compare(): the owner of the
 * outermost home that this one is in or the same as, which came before; else NULL, and
 * from then on it is the outermost.
 */
struct nesting {
	char *outer, *owner;
};

const char *nesting_enter(struct nesting *nesting, const char *home, const char *owner);
void nesting_clear(struct nesting *nesting);

/* One word of bash: quoted, and printable whatever it holds. Caller frees. */
char *shell_word(const char *text);

#endif
