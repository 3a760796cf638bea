/* SPDX-License-Identifier: MIT */
#include "postfix-policy/protocol/netstring.h"

#include <assert.h>
#include <stdint.h>

enum parse_result netstring_parse(const char *bytes, size_t len, size_t max_len,
				  struct netstring *out)
{
	size_t value = 0, at;

	assert(max_len < SIZE_MAX / 10 - 1);
	for (at = 0; at < len && bytes[at] != ':'; at++) {
		if (bytes[at] < '0' || bytes[at] > '9')
			return PARSE_BAD;
		if (at == 1 && bytes[0] == '0')
			return PARSE_BAD;	/* no leading zeros */
		value = value * 10 + (size_t)(bytes[at] - '0');
		if (value > max_len)
			return PARSE_BAD;
	}
	if (at == len)
		return PARSE_MORE;
	if (at == 0)
		return PARSE_BAD;		/* ":," has no length */
	at++;
	if (len - at <= value)
		return PARSE_MORE;
	if (bytes[at + value] != ',')
		return PARSE_BAD;
	*out = (struct netstring){ bytes + at, value, at + value + 1 };
	return PARSE_DONE;
}
