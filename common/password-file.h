/* SPDX-License-Identifier: MIT */
/* A file whose first line is a password. */
#ifndef MUM_PASSWORD_FILE_H
#define MUM_PASSWORD_FILE_H

enum { PASSWORD_FILE_MAX = 1024 };	/* bytes */

/*
 * "" and *why_r (caller frees) when the file must not or cannot be read: it is no regular
 * file, everybody can read it, its path is not absolute. Set *why_r to NULL before.
 */
void password_file_read(const char *path, char password[PASSWORD_FILE_MAX], char **why_r);

#endif
