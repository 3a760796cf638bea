/* SPDX-License-Identifier: MIT */
/* Lines of doveadm about the sizes of mailboxes, whose names are those of users. */
#include "mumctl/doveadm-sizes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "tests/fuzz/fuzz.h"

static void check_inside(const char *user, const char *line, size_t len)
{
	HOLDS(user >= line && user + strlen(user) <= line + len);
}

/* A row of the same user and size is read as the same. */
static void check_again(enum sizes_source source, const struct size_row *row)
{
	struct size_row again;
	char *line = source == SIZES_QUOTA
			     ? xasprintf("%s\troot\tSTORAGE\t%" PRIu64 "\t-\t0", row->user, row->kib)
			     : xasprintf("%s\t%" PRIu64, row->user, row->kib * 1024);

	HOLDS(sizes_read_row(source, line, &again) && again.known);
	HOLDS(strcmp(again.user, row->user) == 0 && again.kib == row->kib);
	free(line);
}

static void check_row(enum sizes_source source, const char *text, size_t len)
{
	char *line = xstrndup(text, len);
	struct size_row row;

	HOLDS(strcmp(sizes_command(source)[0], "doveadm") == 0);
	if (sizes_read_row(source, line, &row)) {
		fuzz_reached();
		check_inside(row.user, line, len);
		HOLDS(strchr(row.user, '\t') == NULL);
		if (row.known) {
			HOLDS(row.kib >> SIZES_KIB_BITS == 0);
			check_again(source, &row);
		}
	}
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = calloc(1, size + 1), *line;
	const char *user;
	size_t len;

	if (size > 0)
		memcpy(text, data, size);
	len = strlen(text);
	check_row(SIZES_QUOTA, text, len);
	check_row(SIZES_VSIZE, text, len);
	line = xstrndup(text, len);
	user = sizes_read_error(line);
	if (user != NULL) {
		fuzz_reached();
		check_inside(user, line, len);
		HOLDS(*user != '\0' && strncmp(text, "doveadm(", 8) == 0);
	}
	free(line);
	free(text);
	return 0;
}
