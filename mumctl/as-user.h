/* SPDX-License-Identifier: MIT */
/* Tries something with the rights of another user, in a child process. */
#ifndef MUM_CTL_AS_USER_H
#define MUM_CTL_AS_USER_H

/* Runs in the child; returns 0 or an errno. */
typedef int as_user_fn(void *arg);

/*
 * Blocks until fn has returned in a child process of that user. Returns what fn did;
 * ETIMEDOUT if a signal ended the child, such as that of alarm(2). Only root can become
 * another user: otherwise, or if there is none of that name, returns -1 and does not run fn.
 */
int as_user(const char *name, as_user_fn *fn, void *arg);

#endif
