/* SPDX-License-Identifier: MIT */
#include "common/mail-location.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/text.h"

static const char *const names[] = {
	[MAIL_DRIVER] = "mail_driver",
	[MAIL_PATH] = "mail_path",
	[MAIL_INBOX_PATH] = "mail_inbox_path",
	[MAIL_LAYOUT] = "mailbox_list_layout",
	[MAIL_INDEX_PATH] = "mail_index_path",
	[MAIL_INDEX_PRIVATE_PATH] = "mail_index_private_path",
	[MAIL_CACHE_PATH] = "mail_cache_path",
	[MAIL_CONTROL_PATH] = "mail_control_path",
	[MAIL_VOLATILE_PATH] = "mail_volatile_path",
	[MAIL_ALT_PATH] = "mail_alt_path",
	[MAIL_ALT_CHECK] = "mail_alt_check",
	[MAIL_LIST_INDEX_PREFIX] = "mailbox_list_index_prefix",
	[MAIL_ITER_FROM_INDEX_DIR] = "mailbox_list_iter_from_index_dir",
	[MAIL_SUBSCRIPTIONS_FILENAME] = "mailbox_subscriptions_filename",
	[MAIL_DIRECTORY_NAME] = "mailbox_directory_name",
	[MAIL_DIRECTORY_NAME_LEGACY] = "mailbox_directory_name_legacy",
	[MAIL_ROOT_DIRECTORY_NAME] = "mailbox_root_directory_name",
	[MAIL_DROP_NOSELECT] = "mailbox_list_drop_noselect",
	[MAIL_VALIDATE_FS_NAMES] = "mailbox_list_validate_fs_names",
	[MAIL_VISIBLE_ESCAPE_CHAR] = "mailbox_list_visible_escape_char",
	[MAIL_UTF8] = "mailbox_list_utf8",
};

/*
 * The keys that 2.3 knows behind the path (its mailbox-list.c), and their settings in 2.4.
 */
static const struct {
	const char *key;
	enum mail_setting setting;
	const char *flag;	/* the setting's value, for a key without a value */
} keys[] = {
	{ "ALT", MAIL_ALT_PATH, NULL },
	{ "ALTNOCHECK", MAIL_ALT_CHECK, "no" },
	{ "BROKENCHAR", MAIL_VISIBLE_ESCAPE_CHAR, NULL },
	{ "CONTROL", MAIL_CONTROL_PATH, NULL },
	{ "DIRNAME", MAIL_DIRECTORY_NAME, NULL },
	{ "FULLDIRNAME", MAIL_DIRECTORY_NAME, NULL },
	{ "INBOX", MAIL_INBOX_PATH, NULL },
	{ "INDEX", MAIL_INDEX_PATH, NULL },
	{ "INDEXCACHE", MAIL_CACHE_PATH, NULL },
	{ "INDEXPVT", MAIL_INDEX_PRIVATE_PATH, NULL },
	{ "ITERINDEX", MAIL_ITER_FROM_INDEX_DIR, "yes" },
	{ "LAYOUT", MAIL_LAYOUT, NULL },
	{ "LISTINDEX", MAIL_LIST_INDEX_PREFIX, NULL },
	{ "MAILBOXDIR", MAIL_ROOT_DIRECTORY_NAME, NULL },
	{ "NO-FS-VALIDATION", MAIL_VALIDATE_FS_NAMES, "no" },
	{ "NO-NOSELECT", MAIL_DROP_NOSELECT, "yes" },
	{ "SUBSCRIPTIONS", MAIL_SUBSCRIPTIONS_FILENAME, NULL },
	{ "UTF-8", MAIL_UTF8, "yes" },
	{ "VOLATILEDIR", MAIL_VOLATILE_PATH, NULL },
};

const char *mail_setting_name(enum mail_setting setting)
{
	return names[setting];
}

/* Makes the text "maildir has KEY" and what is wrong with it. */
static const char *complain(struct arena *arena, const char *key, const char *wrong)
{
	static const char format[] = "maildir has %s%s";
	size_t size = sizeof(format) + strlen(key) + strlen(wrong);
	char *why = arena_alloc(arena, size);

	snprintf(why, size, format, key, wrong);
	return why;
}

/* Takes the next part of *text, in place, up to a colon. Two colons mean one inside the part. */
static char *next_part(char **text)
{
	char *part = *text;
	size_t len = 0;

	while (**text != '\0') {
		char c = *(*text)++;

		if (c == ':') {
			if (**text != ':')
				break;
			(*text)++;
		}
		part[len++] = c;
	}
	/* 2.3 drops a slash at the end, too. */
	if (len > 1 && part[len - 1] == '/')
		len--;
	part[len] = '\0';
	return part;
}

/* ~NAME: 2.3 takes that home from the system's users; 2.4 cannot say so. */
static bool is_of_another_home(const char *path)
{
	return path[0] == '~' && path[1] != '\0' && path[1] != '/';
}

static bool has_no_path(const char *driver)
{
	return strcmp(driver, "imapc") == 0 || strcmp(driver, "pop3c") == 0;
}

static const char *read_driver(char **text, struct arena *arena, struct mail_location *location)
{
	size_t len = strspn(*text, "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	/* Dovecot's own names are in lower case, and it compares without case. */
	char *driver = text_lower(arena_strndup(arena, *text, len));

	if (len == 0 || (*text)[len] != ':' || strcmp(driver, "auto") == 0)
		return "maildir names no driver (such as maildir:), and Dovecot 2.4 guesses "
		       "none";
	*text += len + 1;
	location->values[MAIL_DRIVER] = driver;
	location->values[MAIL_PATH] = next_part(text);
	if (*location->values[MAIL_PATH] == '\0' && !has_no_path(driver))
		return "maildir has no path behind its driver";
	if (is_of_another_home(location->values[MAIL_PATH]))
		return "maildir is in the home of a system user (~name)";
	return NULL;
}

/* What is wrong with it, or NULL. */
static const char *check_value(enum mail_setting setting, const char *value)
{
	if (is_of_another_home(value))
		return " in the home of a system user (~name)";
	if (setting == MAIL_INBOX_PATH && strchr("/~", *value) == NULL)
		return " with a relative path, which is another one for Dovecot 2.4";
	if (setting == MAIL_LAYOUT && *value == '\0')
		return " without a value";
	if (setting == MAIL_VISIBLE_ESCAPE_CHAR && strlen(value) != 1)
		return " without one character";
	return NULL;
}

static const char *read_key(char *part, struct arena *arena, struct mail_location *location)
{
	char *equals = strchr(part, '=');
	const char *value = "", *wrong = ", which Dovecot 2.4 has no setting for";
	size_t i = 0;

	if (equals != NULL) {
		*equals = '\0';
		value = equals + 1;
	}
	while (i < sizeof(keys) / sizeof(keys[0]) && strcmp(keys[i].key, part) != 0)
		i++;
	if (i < sizeof(keys) / sizeof(keys[0]))
		wrong = check_value(keys[i].setting, value);
	if (wrong != NULL)
		return complain(arena, part, wrong);
	/* An empty one means this to 2.3. */
	if (keys[i].setting == MAIL_INDEX_PATH && *value == '\0')
		value = "MEMORY";
	location->values[keys[i].setting] = keys[i].flag != NULL ? keys[i].flag : value;
	if (keys[i].setting == MAIL_DIRECTORY_NAME)
		location->values[MAIL_DIRECTORY_NAME_LEGACY] = *part == 'D' ? "yes" : "no";
	return NULL;
}

static const char *value_or(const struct mail_location *location, enum mail_setting setting,
			    const char *default_value)
{
	const char *value = location->values[setting];

	return value != NULL ? value : default_value;
}

/*
 * Where 2.3 keeps INBOX if the location does not say: see its maildir-storage.c, which
 * does not recognize LAYOUT=FS in capitals, and mbox-storage.c.
 */
static const char *default_inbox(const struct mail_location *location)
{
	const char *driver = location->values[MAIL_DRIVER], *layout;

	if (strcmp(driver, "mbox") == 0) {
		layout = value_or(location, MAIL_LAYOUT, "fs");
		return strcasecmp(layout, "fs") == 0 ? "inbox" : "";
	}
	layout = value_or(location, MAIL_LAYOUT, "maildir++");
	if (strcmp(driver, "maildir") != 0 ||
	    *value_or(location, MAIL_DIRECTORY_NAME, "") != '\0')
		return "";
	return strcmp(layout, "maildir++") == 0 || strcmp(layout, "fs") == 0 ? "." : "";
}

const char *mail_location_parse(const char *text, struct arena *arena,
				struct mail_location *location_r)
{
	char *rest = arena_strndup(arena, text, strlen(text));
	const char *why;

	*location_r = (struct mail_location){ 0 };
	why = read_driver(&rest, arena, location_r);
	while (why == NULL && *rest != '\0')
		why = read_key(next_part(&rest), arena, location_r);
	if (why != NULL)
		return why;
	if (location_r->values[MAIL_INBOX_PATH] == NULL)
		location_r->values[MAIL_INBOX_PATH] = default_inbox(location_r);
	/* In lower case, because 2.4 has settings that depend on the layout's name. */
	if (location_r->values[MAIL_LAYOUT] != NULL)
		location_r->values[MAIL_LAYOUT] = text_lower(arena_strndup(
			arena, location_r->values[MAIL_LAYOUT],
			strlen(location_r->values[MAIL_LAYOUT])));
	return NULL;
}
