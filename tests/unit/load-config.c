/* SPDX-License-Identifier: MIT */
#include "tests/unit/load-config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

struct mum_config *load_config(const struct scratch *scratch, const char *text,
			       char **errors_r)
{
	char *path = scratch_file(scratch, "mum.conf", 0640, text, strlen(text));
	struct mum_config *config = mum_config_load(path, MUM_ROLE_POSTFIX, errors_r);

	if (*errors_r != NULL) {
		const char *at = *errors_r, *next;
		char *out = xmalloc(strlen(at) + 1), *to = out;

		while ((next = strstr(at, path)) != NULL) {
			to += sprintf(to, "%.*smum.conf", (int)(next - at), at);
			at = next + strlen(path);
		}
		strcpy(to, at);
		free(*errors_r);
		*errors_r = out;
	}
	free(path);
	return config;
}
