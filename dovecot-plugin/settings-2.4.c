/* SPDX-License-Identifier: MIT */
#include "dovecot-plugin/settings-2.4.h"

static const struct setting_define defines[] = {
	SETTING_DEFINE_STRUCT_STR("mum_config_file", config_file, struct mum_settings),
	SETTING_DEFINE_LIST_END
};

static const struct mum_settings defaults = {
	.config_file = DEFAULT_CONFIG,
};

const struct setting_parser_info mum_setting_parser_info = {
	.name = "mum",
	.defines = defines,
	.defaults = &defaults,
	.struct_size = sizeof(struct mum_settings),
	.pool_offset1 = 1 + offsetof(struct mum_settings, pool),
};
