/* SPDX-License-Identifier: MIT */
/*
 * The setting mum_config_file of Dovecot 2.4, global or in a passdb or userdb block.
 * Auth reads it. doveconf and the config process refuse a setting that they do not
 * know; libmum_settings.so makes it known to them.
 */
#ifndef MUM_DOVECOT_SETTINGS_24_H
#define MUM_DOVECOT_SETTINGS_24_H

#include "lib.h"
#include "settings-parser.h"

struct mum_settings {
	pool_t pool;
	const char *config_file;	/* path of mum.conf */
};

extern const struct setting_parser_info mum_setting_parser_info;

#endif
