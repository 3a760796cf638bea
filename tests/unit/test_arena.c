/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdalign.h>

#include "common/arena.h"

static void test_memory_is_zeroed_aligned_and_apart(void **state)
{
	static const size_t sizes[] = { 0, 1, 7, 8, 15, 16, 17, 100, 495, 496, 497,
					511, 512, 513, 4096, 100000 };
	struct arena arena = { NULL };

	(void)state;
	for (int round = 0; round < 20; round++) {
		FOR_EACH_ROW(size, sizes) {
			unsigned char *memory = arena_alloc(&arena, *size);
			bool zero = true;

			for (size_t i = 0; i < *size; i++)
				zero = zero && memory[i] == 0;
			WANT("zeroed, though a neighbour wrote", zero);
			WANT("aligned for any type",
			     (uintptr_t)memory % alignof(max_align_t) == 0);
			memset(memory, 0xee, *size);
		}
	}
	arena_free(&arena);
}

static void test_blocks_do_not_overlap(void **state)
{
	struct arena arena = { NULL };
	char *blocks[500];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
		blocks[i] = arena_alloc(&arena, i % 60 + 1);
		memset(blocks[i], (int)(i % 251), i % 60 + 1);
	}
	for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
		for (size_t at = 0; at < i % 60 + 1; at++)
			WANT("as it was written",
			     (unsigned char)blocks[i][at] == i % 251);
	}
	arena_free(&arena);
}

static void test_copies(void **state)
{
	struct arena arena = { NULL };
	char *exact = unit_exact("joe@example", 3);

	(void)state;
	WANT_TEXT("len bytes and a NUL", arena_strndup(&arena, exact, 3), "joe");
	WANT_TEXT("nothing", arena_strndup(&arena, exact, 0), "");
	WANT("a NUL inside is copied",
	     memcmp(arena_strndup(&arena, "a\0b", 3), "a\0b", 4) == 0);
	WANT_TEXT("a whole text", arena_strdup(&arena, "joe"), "joe");
	WANT("NULL of NULL", arena_strdup(&arena, NULL) == NULL);
	free(exact);
	arena_free(&arena);
	WANT("empty again", arena.chunks == NULL);
	WANT_TEXT("and usable", arena_strndup(&arena, "x", 1), "x");
	arena_free(&arena);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_memory_is_zeroed_aligned_and_apart),
		UNIT_TEST(test_blocks_do_not_overlap),
		UNIT_TEST(test_copies),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
