/* SPDX-License-Identifier: MIT */
#include "common/secret.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/xalloc.h"

struct pages {
	size_t size;
	char text[];
};

char *secret_new(const char *text)
{
	size_t len = strlen(text) + 1;
	size_t size = sizeof(struct pages) + len;
	struct pages *pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	pages = xchecked(pages != MAP_FAILED ? pages : NULL);
	/* If the kernel cannot do this, the rest still helps. */
	madvise(pages, size, MADV_DONTDUMP);
	pages->size = size;
	return memcpy(pages->text, text, len);
}

void secret_free(char **secret)
{
	struct pages *pages;
	size_t size;

	if (*secret == NULL)
		return;
	pages = (struct pages *)(*secret - offsetof(struct pages, text));
	*secret = NULL;
	size = pages->size;
	explicit_bzero(pages, size);
	munmap(pages, size);
}
