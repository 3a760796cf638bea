/* SPDX-License-Identifier: MIT */
#include "common/timezone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

enum {
	DAY = 86400,
	DAYS_AHEAD = 3660,	/* a process that runs longer keeps the last offset */
	CHANGES_MAX = 64
};

struct change {
	time_t from;
	long offset;	/* seconds east of UTC */
};

struct timezone_table {
	size_t count;
	struct change changes[CHANGES_MAX];	/* by time; the first holds from the start */
};

bool timezone_is_known(const char *name)
{
	char magic[4] = "";
	char *path;
	FILE *file;

	if (strcmp(name, "UTC") == 0)
		return true;
	if (*name == '\0' || *name == '/' || strstr(name, "..") != NULL)
		return false;
	path = xasprintf("/usr/share/zoneinfo/%s", name);
	file = fopen(path, "re");
	free(path);
	if (file == NULL)
		return false;
	/* A zone begins like this (tzfile(5)); a folder or a list of zones does not. */
	if (fread(magic, sizeof(magic), 1, file) != 1)
		magic[0] = '\0';
	fclose(file);
	return memcmp(magic, "TZif", sizeof(magic)) == 0;
}

static long offset_at(time_t when)
{
	struct tm local;

	localtime_r(&when, &local);
	return local.tm_gmtoff;
}

/* The first second in (before, after] with the offset of `after`. */
static time_t find_change(time_t before, time_t after)
{
	long offset = offset_at(after);

	while (after - before > 1) {
		time_t middle = before + (after - before) / 2;

		if (offset_at(middle) == offset)
			after = middle;
		else
			before = middle;
	}
	return after;
}

static void read_changes(struct timezone_table *table, time_t now)
{
	table->changes[0] = (struct change){ now - DAY, offset_at(now - DAY) };
	table->count = 1;
	for (int day = 0; day < DAYS_AHEAD && table->count < CHANGES_MAX; day++) {
		time_t when = now + (time_t)day * DAY;

		if (offset_at(when) == table->changes[table->count - 1].offset)
			continue;
		table->changes[table->count++] =
			(struct change){ find_change(when - DAY, when), offset_at(when) };
	}
}

struct timezone_table *timezone_new(const char *name, time_t now)
{
	struct timezone_table *table = xcalloc(1, sizeof(*table));
	const char *before;
	char *saved;

	if (strcmp(name, "UTC") == 0) {
		table->count = 1;
		return table;
	}
	before = getenv("TZ");
	saved = before != NULL ? xstrdup(before) : NULL;
	setenv("TZ", name, 1);
	tzset();
	read_changes(table, now);
	if (saved != NULL)
		setenv("TZ", saved, 1);
	else
		unsetenv("TZ");
	tzset();
	free(saved);
	return table;
}

void timezone_free(struct timezone_table **table)
{
	free(*table);
	*table = NULL;
}

void timezone_format(const struct timezone_table *table, time_t when,
		     char text[TIMEZONE_TEXT_SIZE])
{
	size_t i = table->count - 1;
	time_t shifted;
	struct tm parts;

	while (i > 0 && table->changes[i].from > when)
		i--;
	shifted = when + table->changes[i].offset;
	gmtime_r(&shifted, &parts);
	strftime(text, TIMEZONE_TEXT_SIZE, "%Y-%m-%d %H:%M:%S", &parts);
}
