/* SPDX-License-Identifier: MIT */
/* Passwords, their files, and which role reads which. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <sys/stat.h>

#include "common/buf.h"
#include "common/config.h"
#include "common/xalloc.h"
#include "tests/unit/scratch.h"

static struct scratch scratch;

static int make_scratch(void **state)
{
	(void)state;
	scratch_init(&scratch);
	return 0;
}

static int drop_scratch(void **state)
{
	(void)state;
	scratch_free(&scratch);
	return 0;
}

static struct mum_config *load_mode(const char *text, enum mum_role role, mode_t mode,
				    char **errors_r)
{
	char *path = scratch_file(&scratch, "mum.conf", mode, text, strlen(text));
	struct mum_config *config = mum_config_load(path, role, errors_r);

	free(path);
	return config;
}

static void test_password_files(void **state)
{
	static const struct {
		const char *name, *bytes;
		size_t len;
		mode_t mode;
		const char *want;	/* NULL: refused */
		const char *error;
	} rows[] = {
		{ "a line", "secret\n", 7, 0600, "secret", NULL },
		{ "no newline", "secret", 6, 0600, "secret", NULL },
		{ "DOS", "secret\r\n", 8, 0600, "secret", NULL },
		{ "only the first line", "one\ntwo\n", 8, 0600, "one", NULL },
		{ "blanks belong to it", " a b \n", 6, 0600, " a b ", NULL },
		{ "empty", "", 0, 0600, "", NULL },
		{ "the group may read", "x", 1, 0640, "x", NULL },
		{ "everybody may read", "x", 1, 0644, NULL, "everybody can read it" },
		{ "everybody may write", "x", 1, 0602, NULL, "everybody can" },
		{ "everybody may run", "x", 1, 0601, NULL, "everybody can" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char *file = scratch_file(&scratch, "password", row->mode, row->bytes, row->len);
		char *text = xasprintf("\ndatabase {\n password_file = \"%s\"\n}\n", file);
		char *errors;
		/*
		 * If mum.conf only names the password file, everybody may read mum.conf.
		 */
		struct mum_config *config =
			load_mode(text, MUM_ROLE_POSTFIX, 0644, &errors);

		WANT(row->name, (config != NULL) == (row->want != NULL));
		if (config != NULL)
			WANT_TEXT(row->name, config->database.password, row->want);
		if (row->error != NULL)
			WANT(row->name, errors != NULL && strstr(errors, row->error) != NULL &&
			     strstr(errors, "mum.conf:3: ") != NULL &&
			     strstr(errors, file) != NULL);
		mum_config_free(&config);
		free(errors);
		free(text);
		free(file);
	}
}

static void test_password_length(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		bool ok;
	} rows[] = {
		{ "one below the limit", 1022, true },
		{ "at the limit", 1023, true },
		{ "one above", 1024, false },
		{ "far above", 100000, false },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char *bytes = unit_repeat("p", row->len);
		char *file = scratch_file(&scratch, "password", 0600, bytes, row->len);
		char *text = xasprintf("database { password_file = \"%s\" }\n", file);
		char *errors;
		struct mum_config *config =
			load_mode(text, MUM_ROLE_POSTFIX, 0600, &errors);

		WANT(row->name, (config != NULL) == row->ok);
		if (config != NULL)
			WANT_TEXT(row->name, config->database.password, bytes);
		else
			WANT(row->name, strstr(errors, "over 1023 bytes") != NULL);
		mum_config_free(&config);
		free(errors);
		free(text);
		free(file);
		free(bytes);
	}
}

static void test_files_that_are_none(void **state)
{
	static const struct {
		const char *name, *path, *want;
	} rows[] = {
		{ "missing", "/nowhere/password", "No such file" },
		{ "a folder", "/", "not a regular file" },
		{ "a device", "/dev/zero", "not a regular file" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char *text = xasprintf("database { password_file = \"%s\" }\n", row->path);
		char *errors;
		struct mum_config *config =
			load_mode(text, MUM_ROLE_POSTFIX, 0600, &errors);

		WANT(row->name, config == NULL);
		if (errors == NULL || strstr(errors, row->want) == NULL)
			WANT_TEXT(row->name, errors, row->want);
		mum_config_free(&config);
		free(errors);
		free(text);
	}
}

static void test_passwords_in_the_file_itself(void **state)
{
	static const struct {
		const char *name, *text;
		mode_t mode;
		bool ok;
	} rows[] = {
		{ "nobody else can read it", "database { password = x }", 0600, true },
		{ "nor can with the group", "database { password = x }", 0640, true },
		{ "everybody can", "database { password = x }", 0644, false },
		{ "everybody can, the other role's", "dovecot { password = x }", 0644, false },
		{ "both ways at once",
		  "database { password = x\n password_file = \"/nowhere\" }", 0600, false },
		{ "no password, everybody can read it", "database { name = x }", 0644, true },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char *errors;
		struct mum_config *config =
			load_mode(row->text, MUM_ROLE_POSTFIX, row->mode, &errors);

		WANT(row->name, (config != NULL) == row->ok);
		WANT("a secret is in no message",
		     errors == NULL || strstr(errors, "\"x\"") == NULL);
		mum_config_free(&config);
		free(errors);
	}
}

static const char both[] =
	"database { user = pu\n password = pp\n deadline = 3s }\n"
	"dovecot { user = du\n password = dp\n deadline = 4s }\n"
	"measure { user = mu\n password = mp }\n";

static void test_roles(void **state)
{
	static const struct {
		const char *name;
		enum mum_role role;
		const char *user, *password;
		unsigned deadline;
	} rows[] = {
		{ "Postfix", MUM_ROLE_POSTFIX, "pu", "pp", 3000 },
		{ "Dovecot", MUM_ROLE_DOVECOT, "du", "dp", 4000 },
		{ "measure", MUM_ROLE_MEASURE, "mu", "mp", 3000 },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char *errors;
		struct mum_config *config = load_mode(both, row->role, 0600, &errors);

		WANT_TEXT(row->name, errors, NULL);
		assert_non_null(config);
		WANT_TEXT(row->name, config->database.user, row->user);
		WANT_TEXT(row->name, config->database.password, row->password);
		WANT_NUMBER(row->name, config->database.deadline, row->deadline);
		WANT_TEXT("the others' passwords are gone", config->dovecot.password, "");
		WANT_TEXT("the others' passwords are gone", config->measure.password, "");
		mum_config_free(&config);
	}
}

/* The other roles' files do not exist: nobody may look at them. */
static void test_a_role_opens_its_own_file_only(void **state)
{
	static const struct {
		const char *name, *section;
		enum mum_role role;
	} rows[] = {
		{ "Postfix", "database", MUM_ROLE_POSTFIX },
		{ "Dovecot", "dovecot", MUM_ROLE_DOVECOT },
		{ "measure", "measure", MUM_ROLE_MEASURE },
	};
	char *file = scratch_file(&scratch, "password", 0600, "mine", 4);

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct buf text = BUF_INIT(4096);
		struct mum_config *config;
		char *all, *errors;

		FOR_EACH_ROW(other, rows)
			buf_printf(&text, "%s { password_file = \"%s\" }\n", other->section,
				   other == row ? file : "/nowhere");
		all = buf_steal(&text);
		config = load_mode(all, row->role, 0600, &errors);
		WANT_TEXT(row->name, config != NULL ? config->database.password : errors, "mine");
		mum_config_free(&config);
		free(errors);
		free(all);
	}
	free(file);
}

static void test_a_missing_file_has_its_line(void **state)
{
	static const char text[] = "database { }\n"
				   "dovecot {\n"
				   " password_file = \"/nowhere\"\n"
				   "}\n";
	char *errors;
	struct mum_config *config = load_mode(text, MUM_ROLE_DOVECOT, 0600, &errors);

	(void)state;
	WANT("in the section of its role", config == NULL && errors != NULL &&
	     strstr(errors, "mum.conf:3: ") != NULL);
	free(errors);
}

static void test_sqlite_needs_no_password(void **state)
{
	char *errors;
	struct mum_config *config =
		load_mode("database { driver = sqlite\n password_file = \"/nowhere\" }",
			  MUM_ROLE_POSTFIX, 0644, &errors);

	(void)state;
	WANT("not opened", config != NULL);
	mum_config_free(&config);
	free(errors);
}

static void test_trouble_with_passwords_joins_the_others(void **state)
{
	char *errors;
	struct mum_config *config =
		load_mode("database {\n password_file = \"/nowhere\"\n connections = 0\n}\n"
			  "cache {\n ttl = x\n}\n", MUM_ROLE_POSTFIX, 0600, &errors);

	(void)state;
	WANT("all at once", config == NULL && strstr(errors, ":2: password_file: ") != NULL &&
	     strstr(errors, ":3: database.connections") != NULL &&
	     strstr(errors, ":6: cache.ttl") != NULL);
	free(errors);
}

/* Whatever the typing error: at a reload the errors go to the mail log. */
static void test_no_error_repeats_a_password(void **state)
{
	static const struct {
		const char *name, *text;
	} rows[] = {
		{ "no quotation marks", "database { password = my CANARY\n }" },
		{ "the next one, too", "database { password = my dear CANARY\n name = x }" },
		{ "on the next line", "database { password = my\n CANARY\n }" },
		{ "a comma", "database { password = my,CANARY\n }" },
		{ "a brace", "database { password = my}CANARY\n }" },
		{ "a parenthesis", "database { password = my(CANARY)\n }" },
		{ "an equals sign", "database { password = my=CANARY\n }" },
		{ "a list", "database { password = {\"my\", \"CANARY\"}\n }" },
		{ "a list of lines", "database { password = {my,\n dear}}CANARY\n }" },
		{ "two texts", "database { password = \"my\" \"CANARY\"\n }" },
		{ "a quotation mark inside", "database { password = \"my\"CANARY\"\n }" },
		{ "no end", "database { password = \"CANARY\n }" },
		{ "no equals sign", "database { password \"CANARY\"\n }" },
		{ "a colon", "database { password: \"CANARY\"\n }" },
		{ "no section", "password = \"CANARY\"\n" },
		{ "twice", "database { password = \"CANARY\"\n password = \"CANARY\" }" },
		{ "a file as well", "database { password = CANARY\n password_file = \"/no\" }" },
		{ "instead of a file", "database { password_file = \"CANARY\" }" },
		{ "as in a URL", "database { hosts = \"user:CANARY@host:3306\" }" },
		{ "Dovecot's", "dovecot { password = my CANARY\n }" },
		{ "Dovecot's, a brace", "dovecot { password = my}CANARY\n }" },
		{ "something else is wrong",
		  "database { password = \"CANARY\"\n colour = red\n deadline = x }" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char *errors;
		struct mum_config *config =
			load_mode(row->text, MUM_ROLE_POSTFIX, 0600, &errors);

		WANT(row->name, config == NULL && errors != NULL);
		WANT(row->name, errors == NULL || strstr(errors, "CANARY") == NULL);
		mum_config_free(&config);
		free(errors);
	}
}

static void test_other_errors_name_what_they_are_about(void **state)
{
	static const struct {
		const char *name, *text, *word;
	} rows[] = {
		{ "an option of another section", "database { password = x }\nmum { shape = y }",
		  "shape" },
		{ "another option between",
		  "database { password = x\n name = y\n shape = y }", "shape" },
		{ "a file is no password", "database { password_file = \"/a\"\n shape = y }",
		  "shape" },
		{ "a section on a line of its own",
		  "database {\n password = x\n}\nkitchen {\n}\n", "kitchen" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char *errors;
		struct mum_config *config =
			load_mode(row->text, MUM_ROLE_POSTFIX, 0600, &errors);

		WANT(row->name, config == NULL && strstr(errors, row->word) != NULL);
		mum_config_free(&config);
		free(errors);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_password_files),
		UNIT_TEST(test_password_length),
		UNIT_TEST(test_files_that_are_none),
		UNIT_TEST(test_passwords_in_the_file_itself),
		UNIT_TEST(test_roles),
		UNIT_TEST(test_a_role_opens_its_own_file_only),
		UNIT_TEST(test_a_missing_file_has_its_line),
		UNIT_TEST(test_sqlite_needs_no_password),
		UNIT_TEST(test_trouble_with_passwords_joins_the_others),
		UNIT_TEST(test_no_error_repeats_a_password),
		UNIT_TEST(test_other_errors_name_what_they_are_about),
	};

	return cmocka_run_group_tests_name("passwords in the configuration", tests,
					   make_scratch, drop_scratch);
}
