/* SPDX-License-Identifier: MIT */
/* libauthdb_mum.so: the symbols that Dovecot's auth looks for (module-dir.h). */
#include "dovecot-plugin/dovecot.h"

#include "dovecot-plugin/plugin.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT extern const char *authdb_mum_version;
EXPORT void authdb_mum_init(struct module *module);
EXPORT void authdb_mum_deinit(void);

const char *authdb_mum_version = DOVECOT_ABI_VERSION;

void authdb_mum_init(struct module *module ATTR_UNUSED)
{
	passdb_register_module(&passdb_mum);
	userdb_register_module(&userdb_mum);
}

void authdb_mum_deinit(void)
{
	passdb_unregister_module(&passdb_mum);
	userdb_unregister_module(&userdb_mum);
}
