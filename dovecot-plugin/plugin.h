/* SPDX-License-Identifier: MIT */
/* The drivers that the module registers under the name "mum". */
#ifndef MUM_DOVECOT_PLUGIN_H
#define MUM_DOVECOT_PLUGIN_H

#include "lib.h"

extern struct passdb_module_interface passdb_mum;
extern struct userdb_module_interface userdb_mum;

/*
 * Each passdb or userdb in the configuration gets its own module; those with the same
 * mum.conf share an instance.
 */
struct passdb_module *passdb_mum_new(pool_t pool, const char *config_path);
struct userdb_module *userdb_mum_new(pool_t pool, const char *config_path);

#endif
