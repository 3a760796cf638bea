/* SPDX-License-Identifier: MIT */
/*
 * Listing all users, page by page. Dovecot always does this in an auth worker,
 * which has an instance of its own.
 */
#ifndef MUM_DOVECOT_USERDB_ITERATE_H
#define MUM_DOVECOT_USERDB_ITERATE_H

#include "dovecot-plugin/instance.h"

struct auth_request;
struct userdb_iterate_context;

/* The three functions for iteration of userdb_module_interface (userdb.h). */
struct userdb_iterate_context *
userdb_iterate_start(struct instance *instance, struct auth_request *request,
		     void (*callback)(const char *user, void *context), void *context);
void userdb_iterate_next(struct userdb_iterate_context *context);
int userdb_iterate_end(struct userdb_iterate_context *context);

#endif
