/* SPDX-License-Identifier: MIT */
/* The drivers that the module registers under the name "mum". */
#ifndef MUM_DOVECOT_PLUGIN_H
#define MUM_DOVECOT_PLUGIN_H

struct passdb_module_interface;
struct userdb_module_interface;

extern struct passdb_module_interface passdb_mum;
extern struct userdb_module_interface userdb_mum;

#endif
