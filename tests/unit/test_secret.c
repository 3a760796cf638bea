/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "common/secret.h"

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

static void test_a_secret_is_a_copy_that_no_dump_holds(void **state)
{
	static const size_t lengths[] = { 0, 1, 20, 4000, 4096, 10000 };

	(void)state;
	FOR_EACH_ROW(length, lengths) {
		char *text = unit_repeat("x", *length);
		char *secret = secret_new(text);

		WANT("a copy", secret != text);
		WANT_TEXT("the same", secret, text);
		WANT("its first page is left out", is_left_out(secret));
		WANT("its last page is left out", is_left_out(secret + *length));
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
