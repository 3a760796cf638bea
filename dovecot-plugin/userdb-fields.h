/* SPDX-License-Identifier: MIT */
/*
 * The userdb fields of a user, the same for userdb, for userdb prefetch and for
 * mumctl. Pure: no header of Dovecot's.
 */
#ifndef MUM_DOVECOT_USERDB_FIELDS_H
#define MUM_DOVECOT_USERDB_FIELDS_H

#include "common/rules.h"

/* 2.3 takes the mail location as one text, 2.4 takes it in settings. */
enum dovecot_generation { DOVECOT_2_3, DOVECOT_2_4 };

typedef void userdb_field_fn(void *arg, const char *name, const char *value);

/*
 * Calls put for each field; its value is gone when put returns. Or returns why that
 * Dovecot cannot be handed this user, and calls nothing. 2.3 can be handed anybody, and
 * needs no arena.
 */
const char *userdb_put_fields(const struct user *user, enum dovecot_generation generation,
			      struct arena *arena, userdb_field_fn *put, void *arg);

/*
 * Calls put for each field that Dovecot 2.4 may have, with "" for what it does not; for
 * all of them where user is NULL, or one that it cannot be handed.
 */
void userdb_put_all_fields(const struct user *user, userdb_field_fn *put, void *arg);

#endif
