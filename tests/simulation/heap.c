/* SPDX-License-Identifier: MIT */
#include "tests/simulation/heap.h"

#include <errno.h>
#include <stdint.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HEAP_IS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HEAP_IS_SANITIZED 1
#endif

#ifdef HEAP_IS_SANITIZED

size_t __sanitizer_get_current_allocated_bytes(void);

size_t heap_in_use(void)
{
	return __sanitizer_get_current_allocated_bytes();
}

unsigned long heap_allocations(void)
{
	return 0;
}

bool heap_can_fail(void)
{
	return false;
}

void heap_fail_at(unsigned long n)
{
	(void)n;
}

bool heap_has_failed(void)
{
	return false;
}

#else

/* glibc's own, under names that nobody replaces. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

/* Also for what libraries allocate and we free, and the other way round. */
#pragma GCC visibility push(default)

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *old, size_t size);
void *aligned_alloc(size_t alignment, size_t size);
int posix_memalign(void **memory_r, size_t alignment, size_t size);
void free(void *memory);

/* Simulations have one thread. */
static size_t in_use;
static unsigned long allocations, fails_at;
static bool has_failed;

size_t heap_in_use(void)
{
	return in_use;
}

unsigned long heap_allocations(void)
{
	return allocations;
}

bool heap_can_fail(void)
{
	return true;
}

void heap_fail_at(unsigned long n)
{
	fails_at = n > 0 ? allocations + n : 0;
	has_failed = false;
}

bool heap_has_failed(void)
{
	return has_failed;
}

static bool fails(void)
{
	allocations++;
	if (fails_at == 0 || allocations < fails_at)
		return false;
	has_failed = true;
	errno = ENOMEM;
	return true;
}

static void *counted(void *memory)
{
	in_use += memory != NULL;
	return memory;
}

void *malloc(size_t size)
{
	return fails() ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : counted(__libc_calloc(count, size));
}

void *realloc(void *old, size_t size)
{
	if (old == NULL)
		return malloc(size);
	if (size == 0) {
		free(old);
		return NULL;
	}
	return fails() ? NULL : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return fails() ? NULL : counted(__libc_memalign(alignment, size));
}

int posix_memalign(void **memory_r, size_t alignment, size_t size)
{
	void *memory = aligned_alloc(alignment, size);

	if (memory == NULL)
		return ENOMEM;
	*memory_r = memory;
	return 0;
}

void free(void *memory)
{
	in_use -= memory != NULL;
	__libc_free(memory);
}

#pragma GCC visibility pop

#endif
