/* SPDX-License-Identifier: MIT */
/* libmum_settings.so: the symbols that Dovecot's config process looks for. */
#include "dovecot-plugin/settings-2.4.h"

#include "module-dir.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT extern const char *mum_settings_version;
EXPORT extern const struct setting_parser_info *mum_settings_set_infos[];

const char *mum_settings_version = DOVECOT_ABI_VERSION;

const struct setting_parser_info *mum_settings_set_infos[] = {
	&mum_setting_parser_info,
	NULL
};
