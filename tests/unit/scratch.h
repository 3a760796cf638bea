/* SPDX-License-Identifier: MIT */
/* Small files in a folder of the test, removed when it ends. */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <stddef.h>
#include <sys/types.h>

struct scratch {
	char path[64];
};

void scratch_init(struct scratch *scratch);
void scratch_free(struct scratch *scratch);
/* Writes a file with that mode; the caller frees its path. */
char *scratch_file(const struct scratch *scratch, const char *name, mode_t mode,
		   const char *bytes, size_t len);

#endif
