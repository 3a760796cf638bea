/* SPDX-License-Identifier: MIT */
#include "common/units.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *name;
	unsigned long factor;
};

static bool parse(const char *text, const struct unit *units, uint64_t *value_r)
{
	unsigned long long value;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	for (; units->name != NULL; units++) {
		if (strcmp(end, units->name) == 0 && errno == 0 &&
		    value <= UINT64_MAX / units->factor) {
			*value_r = value * units->factor;
			return true;
		}
	}
	return false;
}

bool units_parse_number(const char *text, uint64_t *value_r)
{
	static const struct unit none[] = { { "", 1 }, { NULL, 0 } };

	return parse(text, none, value_r);
}

bool units_parse_time(const char *text, uint64_t *ms_r)
{
	static const struct unit times[] = {
		{ "ms", 1 },	  { "s", 1000 },     { "m", 60000 },
		{ "h", 3600000 }, { "d", 86400000 }, { NULL, 0 }
	};

	return parse(text, times, ms_r);
}

bool units_parse_size(const char *text, uint64_t *bytes_r)
{
	static const struct unit sizes[] = {
		{ "", 1 },	    { "K", 1UL << 10 }, { "M", 1UL << 20 },
		{ "G", 1UL << 30 }, { NULL, 0 }
	};

	return parse(text, sizes, bytes_r);
}
