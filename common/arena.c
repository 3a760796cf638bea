/* SPDX-License-Identifier: MIT */
#include "common/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

/* Small at first, because most facts are one short name; then chunks double. */
enum { FIRST_CHUNK = 64, LARGEST_CHUNK = 16384 };

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	alignas(max_align_t) char bytes[];
};

static size_t rounded(size_t size)
{
	size_t step = alignof(max_align_t);

	return (size + step - 1) / step * step;
}

static struct arena_chunk *add_chunk(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk = xmalloc(sizeof(*chunk) + size);

	*chunk = (struct arena_chunk){ arena->chunks, 0, size };
	arena->chunks = chunk;
	return chunk;
}

void arena_reserve(struct arena *arena, size_t size)
{
	add_chunk(arena, rounded(size));
}

/* Not zeroed. */
static void *take(struct arena *arena, size_t size)
{
	size_t need = rounded(size);
	struct arena_chunk *chunk = arena->chunks;
	void *memory;

	if (chunk == NULL || chunk->size - chunk->used < need) {
		size_t chunk_size = chunk != NULL ? chunk->size * 2 : FIRST_CHUNK;

		if (chunk_size > LARGEST_CHUNK)
			chunk_size = LARGEST_CHUNK;
		chunk = add_chunk(arena, chunk_size < need ? need : chunk_size);
	}
	memory = chunk->bytes + chunk->used;
	chunk->used += need;
	return memory;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	return memset(take(arena, size), 0, size);
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
	char *copy = take(arena, len + 1);

	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return text != NULL ? arena_strndup(arena, text, strlen(text)) : NULL;
}

void arena_wipe(struct arena *arena)
{
	for (struct arena_chunk *chunk = arena->chunks; chunk != NULL; chunk = chunk->next)
		explicit_bzero(chunk->bytes, chunk->used);
	arena_free(arena);
}

void arena_free(struct arena *arena)
{
	struct arena_chunk *chunk = arena->chunks;

	arena->chunks = NULL;
	while (chunk != NULL) {
		struct arena_chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
}
