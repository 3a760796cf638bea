/* SPDX-License-Identifier: MIT */
/* A file whose first line is a password. */
#ifndef MUM_PASSWORD_FILE_H
#define MUM_PASSWORD_FILE_H

enum { PASSWORD_FILE_MAX = 1024 };	/* bytes */

/*
 * "" and *why_r (the caller frees it) when the file must not or cannot be read: it is
 * no regular one, everybody can read it, its path is not absolute. *why_r is NULL before.
 */
void password_file_read(const char *path, char password[PASSWORD_FILE_MAX], char **why_r);

#endif
