/* SPDX-License-Identifier: MIT */
/* A small file of mumd's own, which nobody else may read. All calls block. */
#ifndef MUM_STATE_FILE_H
#define MUM_STATE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

/*
 * Replaces the file as a whole, mode 0600: even after a crash it has all of the old bytes or
 * all of the new ones. False with *why_r, which the caller frees.
 */
bool state_file_write(const char *path, const void *bytes, size_t len, char **why_r);

/*
 * Appends what the file holds. False with *why_r, which the caller frees, when it cannot be
 * read, is no regular file, or is larger than the buffer may be; *why_r is NULL when there
 * is no file.
 */
bool state_file_read(const char *path, struct buf *out, char **why_r);

#endif
