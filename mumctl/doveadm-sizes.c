/* SPDX-License-Identifier: MIT */
#include "mumctl/doveadm-sizes.h"

#include <string.h>

#include "common/units.h"

const char *const *sizes_command(enum sizes_source source)
{
	static const char *const quota[] = { "doveadm", "-f", "tab", "quota", "get", "-A", NULL };
	static const char *const vsize[] = {
		"doveadm", "-f", "tab", "mailbox", "status", "-A", "-t", "vsize", "*", NULL
	};

	return source == SIZES_QUOTA ? quota : vsize;
}

/* The fields of a row; ..._VALUE is the size. */
enum { QUOTA_USER, QUOTA_ROOT, QUOTA_TYPE, QUOTA_VALUE, QUOTA_LIMIT, QUOTA_PERCENT, QUOTA_FIELDS };
enum { VSIZE_USER, VSIZE_VALUE, VSIZE_FIELDS };
enum { FIELDS_MAX = QUOTA_FIELDS };

bool sizes_read_row(enum sizes_source source, char *line, struct size_row *row_r)
{
	bool quota = source == SIZES_QUOTA;
	char *fields[FIELDS_MAX + 1];	/* one more, to see that there are too many */
	size_t count = 0;
	uint64_t number;
	const char *value;

	while (count <= FIELDS_MAX && (fields[count] = strsep(&line, "\t")) != NULL)
		count++;
	if (count != (size_t)(quota ? QUOTA_FIELDS : VSIZE_FIELDS) ||
	    (quota && strcmp(fields[QUOTA_TYPE], "STORAGE") != 0))
		return false;
	value = fields[quota ? QUOTA_VALUE : VSIZE_VALUE];
	*row_r = (struct size_row){ .user = fields[quota ? QUOTA_USER : VSIZE_USER] };
	if (!units_parse_number(value, &number))
		return quota && strcmp(value, "error") == 0;
	row_r->kib = quota ? number : number / 1024 + (number % 1024 > 0);
	row_r->known = row_r->kib >> SIZES_KIB_BITS == 0;
	return true;
}

/* In some lines 2.3 and 2.4 put a process id and a session in <> behind the name. */
const char *sizes_read_error(char *line)
{
	static const char begin[] = "doveadm(";
	char *user = line + sizeof(begin) - 1, *end;

	if (strncmp(line, begin, sizeof(begin) - 1) != 0)
		return NULL;
	/* A name may hold brackets; what follows it holds none before the colon. */
	end = strstr(user, ": Error: ");
	while (end != NULL && end > user && *end != ')')
		end--;
	if (end == NULL || end == user)
		return NULL;
	*end = '\0';
	return user;
}
