/* SPDX-License-Identifier: MIT */
/*
 * A mail location as MUM stores it, "driver:path:KEY=value:FLAG" in the words of
 * Dovecot 2.3, taken apart into the settings of Dovecot 2.4.
 */
#ifndef MUM_MAIL_LOCATION_H
#define MUM_MAIL_LOCATION_H

#include "common/arena.h"

/* In the order in which they are shown. */
enum mail_setting {
	MAIL_DRIVER,
	MAIL_PATH,
	MAIL_INBOX_PATH,
	MAIL_LAYOUT,
	MAIL_INDEX_PATH,
	MAIL_INDEX_PRIVATE_PATH,
	MAIL_CACHE_PATH,
	MAIL_CONTROL_PATH,
	MAIL_VOLATILE_PATH,
	MAIL_ALT_PATH,
	MAIL_ALT_CHECK,
	MAIL_LIST_INDEX_PREFIX,
	MAIL_ITER_FROM_INDEX_DIR,
	MAIL_SUBSCRIPTIONS_FILENAME,
	MAIL_DIRECTORY_NAME,
	MAIL_DIRECTORY_NAME_LEGACY,
	MAIL_ROOT_DIRECTORY_NAME,
	MAIL_DROP_NOSELECT,
	MAIL_VALIDATE_FS_NAMES,
	MAIL_VISIBLE_ESCAPE_CHAR,
	MAIL_UTF8,
	MAIL_SETTINGS
};

struct mail_location {
	const char *values[MAIL_SETTINGS];	/* NULL: the location does not set it */
};

/* Dovecot 2.4's name of the setting. */
const char *mail_setting_name(enum mail_setting setting);

/*
 * Returns NULL and sets driver, path, inbox path and all else that the location says;
 * or returns why Dovecot 2.4 cannot express this location. INBOX stays where Dovecot
 * 2.3 has it, whatever 2.4's own defaults are. Memory comes from the arena, also that of
 * the reason.
 */
const char *mail_location_parse(const char *text, struct arena *arena,
				struct mail_location *location_r);

#endif
