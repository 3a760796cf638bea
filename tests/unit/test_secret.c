/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <sys/mman.h>

#include "common/secret.h"

/* What the kernel was last asked to leave out of dumps. */
static struct {
	char *start;
	size_t size;
} asked;

/* The linker puts this in place of libmum's madvise(); it calls the real one. */
int __real_madvise(void *start, size_t size, int advice);
int __wrap_madvise(void *start, size_t size, int advice);

int __wrap_madvise(void *start, size_t size, int advice)
{
	int result = __real_madvise(start, size, advice);

	if (result == 0 && advice == MADV_DONTDUMP) {
		asked.start = start;
		asked.size = size;
	}
	return result;
}

static bool was_asked(const char *from, size_t size)
{
	return asked.start <= from && from + size <= asked.start + asked.size;
}

/* Do core dumps leave out the page of this address? See "dd" in proc(5). */
static bool is_left_out(const void *address)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	unsigned long start, end, at = (unsigned long)address;
	bool inside = false, left_out = false;
	char line[4096];

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = at >= start && at < end;
		if (inside && strncmp(line, "VmFlags:", 8) == 0)
			left_out = strstr(line, " dd") != NULL;
	}
	fclose(maps);
	return left_out;
}

/* Does madvise() reach the kernel? An emulator (qemu-user) may keep it back. */
static bool kernel_hears(void)
{
	void *page = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool left_out;

	assert_true(page != MAP_FAILED);
	assert_int_equal(__real_madvise(page, 1, MADV_DONTDUMP), 0);
	left_out = is_left_out(page);
	munmap(page, 1);
	return left_out;
}

static void test_a_secret_is_a_copy_that_no_dump_holds(void **state)
{
	static const size_t lengths[] = { 0, 1, 20, 4000, 4096, 10000 };
	bool heard = kernel_hears();

	(void)state;
	FOR_EACH_ROW(length, lengths) {
		char *text = unit_repeat("x", *length);
		char *secret = secret_new(text);

		WANT("a copy", secret != text);
		WANT_TEXT("the same", secret, text);
		WANT("asked for all of it", was_asked(secret, *length + 1));
		WANT("its first page is left out", is_left_out(secret) == heard);
		WANT("its last page is left out", is_left_out(secret + *length) == heard);
		WANT("what is no secret is not", !is_left_out(text));
		secret_free(&secret);
		WANT("set to NULL", secret == NULL);
		secret_free(&secret);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_a_secret_is_a_copy_that_no_dump_holds),
	};

	return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
