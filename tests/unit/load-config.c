/* SPDX-License-Identifier: MIT */
#include "tests/unit/load-config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "tests/unit/scratch.h"

static struct scratch scratch;

int load_config_setup(void **state)
{
	(void)state;
	scratch_init(&scratch);
	return 0;
}

int load_config_teardown(void **state)
{
	(void)state;
	scratch_free(&scratch);
	return 0;
}

const char *load_config_folder(void)
{
	return scratch.path;
}

struct mum_config *load_config(const char *text, char **errors_r)
{
	char *path = scratch_file(&scratch, "mum.conf", 0640, text, strlen(text));
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
