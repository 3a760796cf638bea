/* SPDX-License-Identifier: MIT */
/* What is said of a mum.conf with faults: all of them, each in one line, with its place. */
#include "tests/unit/unit.h"

#include <sys/wait.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/config.h"
#include "common/xalloc.h"
#include "tests/unit/load-config.h"

static void test_all_errors_at_once(void **state)
{
	static const char text[] = "database {\n"			/* 1 */
				   "    colour = \"red\"\n"
				   "    connections = 99\n"		/* 3 */
				   "    driver = \"oracle\"\n"
				   "}\n"
				   "cache {\n"
				   "    ttl = \"soon\"\n"		/* 7 */
				   "}\n"
				   "mum { timezone = \"Mars\" }\n"	/* 9 */
				   "policy {\n"
				   "    listen = {\"unix:/a\",\n"
				   "              \"b\"}\n"		/* 11 or 12 */
				   "    flavour = \"sweet\"\n"		/* 13 */
				   "}\n";
	static const char *const wanted[] = {
		"mum.conf:2: ", "colour", "mum.conf:3: database.connections = \"99\"",
		"mum.conf:4: database.driver = \"oracle\"", "mum.conf:7: cache.ttl = \"soon\"",
		"mum.conf:9: mum.timezone = \"Mars\"", "policy.listen = \"b\"",
		"mum.conf:13: ", "flavour",
	};
	char *errors;
	struct mum_config *config = load_config(text, &errors);
	size_t lines = 1;

	(void)state;
	WANT("refused", config == NULL);
	assert_non_null(errors);
	FOR_EACH_ROW(want, wanted) {
		if (strstr(errors, *want) == NULL)
			WANT_TEXT("each is told", errors, *want);
	}
	for (const char *at = errors; *at != '\0'; at++)
		lines += *at == '\n';
	WANT_NUMBER("one line each, each once", lines, 7);
	free(errors);
}

static void test_a_complaint_of_any_length_is_one(void **state)
{
	static const size_t lengths[] = { 1, 1000, 2000, 2048, 65000, 65536, 70000, 500000 };

	(void)state;
	FOR_EACH_ROW(len, lengths) {
		char *value = unit_repeat("7", *len);
		char *text = xasprintf("process {\n socket_mode = \"x%s\"\n}\n", value), *errors;
		struct mum_config *config = load_config(text, &errors);

		WANT("it is refused", config == NULL && errors != NULL);
		if (errors != NULL)
			WANT("it says where",
			     strncmp(errors, "mum.conf:2: process.socket_mode = ", 34) == 0 &&
				     strlen(errors) < 4096 && strchr(errors, '\n') == NULL);
		free(errors);
		mum_config_free(&config);
		free(text);
		free(value);
	}
}

static void test_complaints_without_number_are_refused_and_cut(void **state)
{
	char *text = unit_repeat("mum { colour = \"red\" }\n", 20000), *errors;
	struct mum_config *config = load_config(text, &errors);
	const char *end = "\nmum.conf: there is more to fix than is shown here";

	(void)state;
	assert_null(config);
	assert_non_null(errors);
	WANT("the first is there", strncmp(errors, "mum.conf:1: ", 12) == 0);
	WANT_TEXT("the end says that there are more",
		  strlen(errors) > strlen(end) ? errors + strlen(errors) - strlen(end) : errors,
		  end);
	free(errors);
	free(text);
}

static void test_lines_are_those_of_the_file(void **state)
{
	static const struct {
		const char *name, *text, *want;
	} rows[] = {
		{ "plain", "database {\n connections = 0\n}\n", "mum.conf:2: " },
		{ "after blank lines", "\n\n\ndatabase {\n connections = 0\n}\n",
		  "mum.conf:5: " },
		{ "after a comment", "# x\ndatabase {\n connections = 0\n}\n",
		  "mum.conf:3: " },
		{ "after a comment behind a value",
		  "database {\n name = n # x\n connections = 0\n}\n", "mum.conf:3: " },
		{ "after a comment of two lines",
		  "/* x\n y */\ndatabase {\n connections = 0\n}\n", "mum.conf:4: " },
		{ "after a comment, an unknown option",
		  "// x\ndatabase {\n colour = 0\n}\n", "mum.conf:3: " },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char *errors;
		struct mum_config *config = load_config(row->text, &errors);

		WANT(row->name, config == NULL);
		if (errors == NULL || strstr(errors, row->want) == NULL)
			WANT_TEXT(row->name, errors, row->want);
		free(errors);
		mum_config_free(&config);
	}
}

static void test_duplicates(void **state)
{
	static const struct {
		const char *name, *text, *want;
	} rows[] = {
		{ "an option twice in a section", "cache {\n ttl = 1s\n ttl = 2s\n}\n",
		  "cache.ttl" },
		{ "an option in two sections of one name",
		  "cache {\n ttl = 1s\n}\ncache {\n ttl = 2s\n}\n",
		  "mum.conf:5: cache.ttl is already set in line 2" },
	};
	char *errors;
	struct mum_config *config;

	(void)state;
	FOR_EACH_ROW(row, rows) {
		config = load_config(row->text, &errors);
		WANT(row->name, config == NULL && errors != NULL);
		if (errors != NULL && strstr(errors, row->want) == NULL)
			WANT_TEXT(row->name, errors, row->want);
		free(errors);
		mum_config_free(&config);
	}
	config = load_config("cache { ttl = 1s }\ncache { stale = 2s }\n", &errors);
	WANT("a section twice with different options is fine",
	     config != NULL && config->cache.ttl == 1000 && config->cache.stale == 2000);
	mum_config_free(&config);
	free(errors);
}

/* Readers take each line for a fault of its own. */
static void test_an_error_is_one_line(void **state)
{
	char *errors;
	struct mum_config *config;

	(void)state;
	setenv("CONFIG_TEST", "so\non", 1);
	config = load_config("cache {\n ttl = \"${CONFIG_TEST}\"\n stale = 1x\n}\n", &errors);
	assert_null(config);
	assert_string_equal(errors, "mum.conf:2: cache.ttl = \"so\\x0aon\": want a time such as "
				    "500ms, 2s, 10m or 1h\n"
				    "mum.conf:3: cache.stale = \"1x\": want a time such as "
				    "500ms, 2s, 10m or 1h");
	free(errors);
}

/* If there are too many, each line is still whole, and the last one says so. */
static void test_very_many_errors_end_with_a_whole_one(void **state)
{
	struct buf text = BUF_INIT(1 << 20);
	char *errors, *file, *line, *rest;

	(void)state;
	buf_puts(&text, "cache {\n");
	for (int i = 0; i < 10000; i++)
		buf_printf(&text, "opt%0*d = 1\n", 1 + i % 40, i);
	buf_puts(&text, "}\n");
	file = buf_steal(&text);
	assert_null(load_config(file, &errors));
	assert_true(strlen(errors) > 30000);
	for (rest = errors; (line = strsep(&rest, "\n")) != NULL;)
		assert_non_null(strstr(line, rest != NULL ? ": no such option 'opt"
							  : ": there is more to fix"));
	free(errors);
	free(file);
}

static void test_files_that_cannot_be_read(void **state)
{
	char *errors, *path = xasprintf("%s/none", load_config_folder());
	struct mum_config *config = mum_config_load(path, MUM_ROLE_POSTFIX, &errors);
	char *want = xasprintf("%s: No such file or directory", path);

	(void)state;
	WANT("missing", config == NULL);
	WANT_TEXT("which is said once", errors, want);
	free(errors);
	free(want);
	free(path);
}

/* In a child: a reload must survive an unreadable file, and keep the old one. */
static void test_a_folder_is_no_file(void **state)
{
	int status = -1;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		char *errors;

		_exit(mum_config_load(load_config_folder(), MUM_ROLE_POSTFIX, &errors) == NULL &&
				      errors != NULL ? 0 : 1);
	}
	waitpid(child, &status, 0);
	WANT("refused, and the process goes on", status == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_all_errors_at_once),
		UNIT_TEST(test_a_complaint_of_any_length_is_one),
		UNIT_TEST(test_complaints_without_number_are_refused_and_cut),
		UNIT_TEST(test_lines_are_those_of_the_file),
		UNIT_TEST(test_duplicates),
		UNIT_TEST(test_an_error_is_one_line),
		UNIT_TEST(test_very_many_errors_end_with_a_whole_one),
		UNIT_TEST(test_files_that_cannot_be_read),
		UNIT_TEST(test_a_folder_is_no_file),
	};

	return cmocka_run_group_tests_name("errors of the configuration", tests, load_config_setup,
					   load_config_teardown);
}
