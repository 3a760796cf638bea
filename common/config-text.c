/* SPDX-License-Identifier: MIT */
#include "common/config-text.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			      "abcdefghijklmnopqrstuvwxyz0123456789_";

/* The bytes of ${NAME}; 0: it is something else. */
static size_t variable_len(const char *at)
{
	size_t len;

	if (strncmp(at, "${", 2) != 0)
		return 0;
	len = 2 + strspn(at + 2, letters);
	return len > 2 && at[len] == '}' ? len + 1 : 0;
}

static const char *value_of_variable(const char *at, size_t len)
{
	char *name = xstrndup(at + 2, len - 3);
	const char *value = getenv(name);

	free(name);
	return value != NULL ? value : "";
}

size_t config_text_decode(const char *from, const char *end, char *to)
{
	size_t used = 0;

	while (from < end) {
		size_t variable = variable_len(from), len = 1;
		const char *value = from;

		if (variable > 0) {
			value = value_of_variable(from, variable);
			len = strlen(value);
			from += variable;
		} else {
			if (*from == '\\')
				value = ++from;
			from++;
		}
		if (to != NULL)
			memcpy(to + used, value, len);
		used += len;
	}
	return used;
}

/* Refuses what looks like a feature that we do not have. */
const char *config_text_fault(const char *at)
{
	if (*at == '\\' && at[1] != '\0' && strchr(letters, at[1]) != NULL)
		return "want a mark of punctuation behind \\; write \\\\ for a backslash";
	if (strncmp(at, "${", 2) == 0 && variable_len(at) == 0)
		return "want ${NAME} for an environment variable, or \\$ for a dollar sign";
	return NULL;
}
