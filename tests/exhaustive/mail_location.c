/* SPDX-License-Identifier: MIT */
/*
 * Mail locations. Specification: the driver stands before the first colon. Behind it, "::"
 * stands for one colon, and any other colon separates parts: the path, then KEY=value or
 * FLAG. The alphabet has keys of each kind.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/mail-location.h"
#include "common/text.h"
#include "common/xalloc.h"
#include "tests/exhaustive/exhaustive.h"

enum { PARTS_MAX = 24, COLON = 1 };

struct parts {
	char *text;
	size_t count;
	char *items[PARTS_MAX];
};

/* The driver; then doubled colons become another byte for a while, so that others separate. */
static void split(const char *location, struct parts *parts)
{
	char *text = parts->text = xstrdup(location), *to, *part;

	parts->items[0] = strsep(&text, ":");
	parts->count = 1;
	if (text == NULL)
		return;
	location += text - parts->text;
	to = text;
	for (const char *at = location; *at != '\0'; at++) {
		if (at[0] == ':' && at[1] == ':') {
			*to++ = COLON;
			at++;
		} else {
			*to++ = *at;
		}
	}
	*to = '\0';
	while ((part = strsep(&text, ":")) != NULL) {
		size_t len = strlen(part);

		/* A separator at the end separates nothing. */
		if (text == NULL && len == 0 && parts->count > 1)
			break;
		if (len > 1 && part[len - 1] == '/')
			part[len - 1] = '\0';
		for (char *at = part; *at != '\0'; at++)
			*at = *at == COLON ? ':' : *at;
		parts->items[parts->count++] = part;
	}
}

static bool is_home_of_another(const char *value)
{
	return value[0] == '~' && value[1] != '/' && value[1] != '\0';
}

/* False when Dovecot 2.4 cannot say it. */
static bool put_part(struct mail_location *location, char *part)
{
	char *value = part;

	strsep(&value, "=");
	if (value == NULL)
		value = part + strlen(part);
	if (strcmp(part, "UTF-8") == 0) {
		location->values[MAIL_UTF8] = "yes";
		return !is_home_of_another(value);
	}
	if (strcmp(part, "INBOX") == 0) {
		location->values[MAIL_INBOX_PATH] = value;
		return (*value == '/' || *value == '~' || *value == '\0') &&
		       !is_home_of_another(value);
	}
	if (strcmp(part, "LAYOUT") == 0) {
		location->values[MAIL_LAYOUT] = text_lower(value);
		return *value != '\0' && !is_home_of_another(value);
	}
	return false;
}

static bool specified(struct parts *parts, struct mail_location *location)
{
	const char *driver = text_lower(parts->items[0]), *at, *layout;

	if (parts->count < 2 || *driver == '\0' || strcmp(driver, "auto") == 0)
		return false;
	for (at = driver; *at != '\0'; at++) {
		if (!isalnum((unsigned char)*at) && *at != '_')
			return false;
	}
	location->values[MAIL_DRIVER] = driver;
	location->values[MAIL_PATH] = parts->items[1];
	if ((*parts->items[1] == '\0' && strcmp(driver, "imapc") != 0) ||
	    is_home_of_another(parts->items[1]))
		return false;
	for (size_t i = 2; i < parts->count; i++) {
		if (!put_part(location, parts->items[i]))
			return false;
	}
	layout = location->values[MAIL_LAYOUT];
	if (location->values[MAIL_INBOX_PATH] == NULL)
		location->values[MAIL_INBOX_PATH] =
			strcmp(driver, "maildir") == 0 &&
					(layout == NULL || strcmp(layout, "fs") == 0) ? "." : "";
	return true;
}

static bool same(const struct mail_location *one, const struct mail_location *other)
{
	for (int i = 0; i < MAIL_SETTINGS; i++) {
		const char *a = one->values[i], *b = other->values[i];

		if (a == NULL || b == NULL ? a != b : strcmp(a, b) != 0)
			return false;
	}
	return true;
}

static void compare(const char *text, size_t len, void *arg)
{
	struct mail_location got, want = { { NULL } };
	struct arena arena = { NULL };
	struct parts parts;
	const char *why = mail_location_parse(text, &arena, &got);
	bool is;

	(void)arg;
	split(text, &parts);
	is = specified(&parts, &want);
	if ((why == NULL) != is)
		differ(text, len, "%s", why != NULL ? why : "accepted");
	else if (is && !same(&got, &want))
		differ(text, len, "other settings");
	free(parts.text);
	arena_free(&arena);
}

int main(int argc, char **argv)
{
	static const struct letter letters[] = {
		LETTER("maildir"), LETTER("imapc"), LETTER(":"), LETTER("/"), LETTER("~"),
		LETTER("x"), LETTER("="), LETTER(":INBOX"), LETTER(":LAYOUT=fs"), LETTER(":UTF-8"),
	};

	each_string(LETTERS(letters), letters_max(argc, argv, 6, 7), compare, NULL);
	return exhaustive_end("mail location");
}
