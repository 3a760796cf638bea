/* SPDX-License-Identifier: MIT */
/*
 * The userdb fields of a user, the same for userdb, for userdb prefetch and for
 * mumctl. Pure: no header of Dovecot's.
 */
#ifndef MUM_DOVECOT_USERDB_FIELDS_H
#define MUM_DOVECOT_USERDB_FIELDS_H

#include "common/rules-users.h"

/* 2.3 takes the mail location as one text, 2.4 takes it in settings. */
enum dovecot_generation { DOVECOT_2_3, DOVECOT_2_4 };

typedef void userdb_field_fn(void *arg, const char *name, const char *value);

/*
 * Calls put for each field; the value is gone when put returns. If that Dovecot cannot
 * express this user's mail location, returns why, from the arena, and does not call put.
 * 2.3 can express all, and needs no arena.
 */
const char *userdb_put_fields(const struct user *user, enum dovecot_generation generation,
			      struct arena *arena, userdb_field_fn *put, void *arg);

/*
 * Calls put for every field that Dovecot 2.4 may get, with "" for those that the user
 * does not have. If user is NULL, or 2.4 cannot express the mail location, all are "".
 */
void userdb_put_all_fields(const struct user *user, userdb_field_fn *put, void *arg);

#endif
