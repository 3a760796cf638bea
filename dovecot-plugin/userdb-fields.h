/* SPDX-License-Identifier: MIT */
/*
 * The userdb fields of a user, the same for userdb, for userdb prefetch and for
 * mumctl. Pure: no header of Dovecot's.
 */
#ifndef MUM_DOVECOT_USERDB_FIELDS_H
#define MUM_DOVECOT_USERDB_FIELDS_H

#include "common/rules.h"

typedef void userdb_field_fn(void *arg, const char *name, const char *value);

/* Calls put for each field; its value is gone when put returns. */
void userdb_put_fields(const struct user *user, userdb_field_fn *put, void *arg);

#endif
