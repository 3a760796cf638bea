/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include "common/myorigin.h"
#include "tests/unit/scratch.h"

static void test_domains(void **state)
{
	static const struct {
		const char *value, *want;
	} rows[] = {
		{ "example.test", "example.test" },
		{ " example.test\n", "example.test" },
		{ "", NULL },
		{ " ", NULL },
		{ "/nowhere", NULL },
		{ "/tmp", NULL },	/* no file */
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char *got = myorigin_read(row->value);

		WANT_TEXT(row->value, got, row->want);
		free(got);
	}
}

static void test_files(void **state)
{
	static const struct {
		const char *name, *bytes, *want;
	} rows[] = {
		{ "as Debian writes it", "mail.example.test\n", "mail.example.test" },
		{ "without an end", "mail.example.test", "mail.example.test" },
		{ "blanks around it", "\n mail.example.test \r\n", "mail.example.test" },
		{ "more lines", "mail.example.test\nx\n", "mail.example.test" },
		{ "empty", "", NULL },
		{ "blanks only", " \n", NULL },
	};
	struct scratch scratch;

	(void)state;
	scratch_init(&scratch);
	FOR_EACH_ROW(row, rows) {
		char *path = scratch_file(&scratch, "mailname", 0644, row->bytes,
					  strlen(row->bytes));
		char *got = myorigin_read(path);

		WANT_TEXT(row->name, got, row->want);
		free(got);
		free(path);
	}
	scratch_free(&scratch);
}

static void test_host(void **state)
{
	char *name = myorigin_of_host();

	(void)state;
	WANT("there is always one", *name != '\0');
	free(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_domains),
		UNIT_TEST(test_files),
		UNIT_TEST(test_host),
	};

	return cmocka_run_group_tests_name("myorigin", tests, NULL, NULL);
}
