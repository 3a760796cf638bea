/* SPDX-License-Identifier: MIT */
/* Memory that is given back all at once. A zeroed struct is a valid, empty arena. */
#ifndef MUM_ARENA_H
#define MUM_ARENA_H

#include <stddef.h>

struct arena {
	struct arena_chunk *chunks;	/* the first one has room */
};

/* Takes this many bytes from the system now, for later allocations. */
void arena_reserve(struct arena *arena, size_t size);
/* Zeroed, aligned for any type, never NULL, valid until arena_free(). */
void *arena_alloc(struct arena *arena, size_t size)
	__attribute__((returns_nonnull));
/* A NUL-terminated copy of len bytes. */
char *arena_strndup(struct arena *arena, const char *text, size_t len)
	__attribute__((returns_nonnull));
/* The same of a whole text; NULL of NULL. */
char *arena_strdup(struct arena *arena, const char *text);
void arena_free(struct arena *arena);
/* For secrets: overwrites every byte, then frees the arena. */
void arena_wipe(struct arena *arena);

#endif
