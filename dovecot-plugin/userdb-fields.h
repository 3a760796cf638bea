/* SPDX-License-Identifier: MIT */
/* The userdb fields of a user, the same for userdb and for userdb prefetch. */
#ifndef MUM_DOVECOT_USERDB_FIELDS_H
#define MUM_DOVECOT_USERDB_FIELDS_H

#include "common/rules.h"

struct auth_request;

typedef void userdb_field_fn(struct auth_request *request, const char *name,
			     const char *value);

void userdb_put_fields(struct auth_request *request, const struct user *user,
		       userdb_field_fn *put);

#endif
