/* SPDX-License-Identifier: MIT */
/*
 * The setting mum_config_file of Dovecot 2.4, global or in a passdb or userdb block.
 * Auth reads it; and doveconf and the config process must know it, or they refuse it:
 * libmum_settings.so tells them.
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
