/* SPDX-License-Identifier: MIT */
/*
 * A password kept in memory: in pages of its own, which core dumps leave out. It is
 * wiped when it is freed.
 */
#ifndef MUM_SECRET_H
#define MUM_SECRET_H

/* A copy. Never NULL. */
char *secret_new(const char *text) __attribute__((returns_nonnull));
/* Sets NULL; NULL is fine. */
void secret_free(char **secret);

#endif
