/* SPDX-License-Identifier: MIT */
#include "tests/unit/scratch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/xalloc.h"

void scratch_init(struct scratch *scratch)
{
	strcpy(scratch->path, "/tmp/mum-unit-XXXXXX");
	if (mkdtemp(scratch->path) == NULL)
		abort();
}

void scratch_free(struct scratch *scratch)
{
	DIR *directory = opendir(scratch->path);
	struct dirent *entry;

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		if (*entry->d_name != '.')
			unlinkat(dirfd(directory), entry->d_name, 0);
	}
	if (directory != NULL)
		closedir(directory);
	rmdir(scratch->path);
}

char *scratch_file(const struct scratch *scratch, const char *name, mode_t mode,
		   const char *bytes, size_t len)
{
	char *path = xasprintf("%s/%s", scratch->path, name);
	FILE *file = fopen(path, "w");

	if (file == NULL || fwrite(bytes, 1, len, file) != len || fclose(file) != 0 ||
	    chmod(path, mode) != 0)
		abort();
	return path;
}
