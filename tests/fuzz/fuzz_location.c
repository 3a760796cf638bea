/* SPDX-License-Identifier: MIT */
/* Mail locations as MUM stores them. */
#include "common/mail-location.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "tests/fuzz/fuzz.h"

/* Settings whose key has the value, which 2.4 takes as it is. */
static const struct {
	enum mail_setting setting;
	const char *key;
} keys[] = {
	{ MAIL_INDEX_PATH, "INDEX" },
	{ MAIL_INDEX_PRIVATE_PATH, "INDEXPVT" },
	{ MAIL_CACHE_PATH, "INDEXCACHE" },
	{ MAIL_CONTROL_PATH, "CONTROL" },
	{ MAIL_VOLATILE_PATH, "VOLATILEDIR" },
	{ MAIL_ALT_PATH, "ALT" },
	{ MAIL_LIST_INDEX_PREFIX, "LISTINDEX" },
	{ MAIL_SUBSCRIPTIONS_FILENAME, "SUBSCRIPTIONS" },
	{ MAIL_ROOT_DIRECTORY_NAME, "MAILBOXDIR" },
	{ MAIL_VISIBLE_ESCAPE_CHAR, "BROKENCHAR" },
	{ MAIL_LAYOUT, "LAYOUT" },
};

enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

static bool is_flag(const char *value)
{
	return value == NULL || strcmp(value, "yes") == 0 || strcmp(value, "no") == 0;
}

static void check_location(const struct mail_location *location)
{
	const char *const *values = location->values;

	HOLDS(values[MAIL_DRIVER] != NULL && *values[MAIL_DRIVER] != '\0');
	HOLDS(values[MAIL_PATH] != NULL && values[MAIL_INBOX_PATH] != NULL);
	HOLDS(is_flag(values[MAIL_ALT_CHECK]) && is_flag(values[MAIL_UTF8]) &&
	      is_flag(values[MAIL_ITER_FROM_INDEX_DIR]) &&
	      is_flag(values[MAIL_DROP_NOSELECT]) && is_flag(values[MAIL_VALIDATE_FS_NAMES]));
	HOLDS((values[MAIL_DIRECTORY_NAME] == NULL) ==
	      (values[MAIL_DIRECTORY_NAME_LEGACY] == NULL));
	/* The home of a system user is refused, wherever it stands. */
	for (size_t i = 0; i < MAIL_SETTINGS; i++)
		HOLDS(values[i] == NULL || values[i][0] != '~' || values[i][1] == '\0' ||
		      values[i][1] == '/');
	for (const char *at = values[MAIL_LAYOUT]; at != NULL && *at != '\0'; at++)
		HOLDS(*at < 'A' || *at > 'Z');
}

/* A colon is written twice, and a slash at the end is dropped: it gets one to lose. */
static void put_part(struct buf *out, const char *value)
{
	size_t len = strlen(value);

	for (size_t i = 0; i < len; i++) {
		buf_put(out, value + i, 1);
		if (value[i] == ':')
			buf_puts(out, ":");
	}
	if (len > 0 && value[len - 1] == '/')
		buf_puts(out, "/");
}

/* The words of 2.3 for what was understood lead to the same settings again. */
static void check_again(const struct mail_location *location, struct arena *arena)
{
	struct buf text = BUF_INIT(1 << 20);
	struct mail_location again;

	buf_printf(&text, "%s:", location->values[MAIL_DRIVER]);
	put_part(&text, location->values[MAIL_PATH]);
	for (size_t i = 0; i < KEYS; i++) {
		const char *value = location->values[keys[i].setting];

		if (value == NULL)
			continue;
		buf_printf(&text, ":%s=", keys[i].key);
		put_part(&text, value);
	}
	buf_put(&text, "", 1);
	HOLDS(!text.failed && mail_location_parse(text.data, arena, &again) == NULL);
	HOLDS(strcmp(again.values[MAIL_DRIVER], location->values[MAIL_DRIVER]) == 0);
	HOLDS(strcmp(again.values[MAIL_PATH], location->values[MAIL_PATH]) == 0);
	for (size_t i = 0; i < KEYS; i++) {
		const char *one = location->values[keys[i].setting];
		const char *other = again.values[keys[i].setting];

		HOLDS((one == NULL) == (other == NULL));
		HOLDS(one == NULL || strcmp(one, other) == 0);
	}
	buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { NULL };
	struct mail_location location;
	char *text = calloc(1, size + 1);
	const char *why;

	if (size > 0)
		memcpy(text, data, size);
	why = mail_location_parse(text, &arena, &location);
	if (why == NULL) {
		fuzz_reached();
		check_location(&location);
		check_again(&location, &arena);
	} else {
		HOLDS(strncmp(why, "maildir ", 8) == 0);
	}
	arena_free(&arena);
	free(text);
	return 0;
}
