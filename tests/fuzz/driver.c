/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target over files: those named, or its seeds in
 * $srcdir/tests/fuzz/seeds/TARGET (the program is named seeds_TARGET).
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/xalloc.h"
#include "tests/fuzz/fuzz.h"

enum { INPUT_MAX = 1 << 20 };

static void run_file(const char *path)
{
	uint8_t *data = xmalloc(INPUT_MAX), *exact;
	FILE *file = fopen(path, "rb");
	size_t size;

	if (file == NULL) {
		perror(path);
		exit(EX_NOINPUT);
	}
	size = fread(data, 1, INPUT_MAX, file);
	fclose(file);
	/* A block of its own size, so that ASan sees any overread. */
	exact = malloc(size);
	if (size > 0)
		memcpy(exact, data, size);
	free(data);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
}

static int run_folder(const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort), run = 0;

	for (int i = 0; i < count; i++) {
		char *file = xasprintf("%s/%s", path, entries[i]->d_name);

		if (entries[i]->d_name[0] != '.') {
			run_file(file);
			run++;
		}
		free(file);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return run;
}

int main(int argc, char **argv)
{
	const char *srcdir = getenv("srcdir"), *target = strrchr(argv[0], '_');
	int run = argc - 1;
	char *folder;

	LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++)
		run_file(argv[i]);
	if (argc == 1 && target != NULL) {
		folder = xasprintf("%s/tests/fuzz/seeds/%s", srcdir != NULL ? srcdir : ".",
				   target + 1);
		run = run_folder(folder);
		free(folder);
	}
	printf("%s: %d inputs\n", argv[0], run);
	return run > 0 ? EX_OK : EX_NOINPUT;
}
