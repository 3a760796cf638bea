/* SPDX-License-Identifier: MIT */
/* Paths as texts, homes in homes, and words of a shell. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/xalloc.h"
#include "mumctl/paths.h"

static const struct {
	const char *path, *normal;
	size_t parent;		/* length */
} normals[] = {
	{ "/", "/", 1 },
	{ "//", "/", 1 },
	{ "/./", "/", 1 },
	{ "/a", "/a", 1 },
	{ "/a/", "/a", 1 },
	{ "/a/b", "/a/b", 2 },
	{ "//a//b//", "/a/b", 2 },
	{ "/a/./b/.", "/a/b", 2 },
	{ "/a/.b/..c/d..", "/a/.b/..c/d..", 9 },
	{ "/a/...", "/a/...", 2 },
	{ "/a b/\n", "/a b/\n", 4 },
	{ "/..", NULL, 0 },
	{ "/a/../b", NULL, 0 },
	{ "/a/..", NULL, 0 },
	{ "a", NULL, 0 },
	{ "", NULL, 0 },
	{ "~/a", NULL, 0 },
};

static void test_normal(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, normals) {
		char *path = unit_exact(row->path, strlen(row->path) + 1);
		char *normal = path_normal(path);

		WANT_TEXT(row->path, normal, row->normal);
		if (normal != NULL)
			WANT_NUMBER(row->path, path_parent_len(normal), row->parent);
		free(normal);
		free(path);
	}
}

static const struct {
	const char *path, *outer;
	bool is;
} insides[] = {
	{ "/a/b", "/a", true },   { "/a", "/a", true },     { "/a/b", "/", true },
	{ "/", "/", true },	  { "/ab", "/a", false },   { "/a", "/a/b", false },
	{ "/b/a", "/a", false },  { "/a b", "/a", false },
};

static void test_inside(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, insides)
		WANT(row->path, path_is_in(row->path, row->outer) == row->is);
}

/* In this order; names are those of the outermost home that each is in. */
static const struct {
	const char *home, *owner, *inside;
} homes[] = {
	{ "/a", "anna", NULL },	     { "/a/b", "ben", "anna" }, { "/a/b/c", "carl", "anna" },
	{ "/a/z", "dora", "anna" },  { "/a b", "eve", NULL },	 { "/a-b", "fred", NULL },
	{ "/a-b", "gerd", "fred" },  { "/ab/c", "hans", NULL },	 { "/ab/cd", "ina", NULL },
};

static int compare(const void *one, const void *other)
{
	return path_compare(*(const char *const *)one, *(const char *const *)other);
}

static void test_nesting(void **state)
{
	struct nesting nesting = { NULL, NULL };
	const char *sorted[ARRAY_LEN(homes)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(homes); i++)
		sorted[i] = homes[ARRAY_LEN(homes) - 1 - i].home;
	qsort(sorted, ARRAY_LEN(homes), sizeof(sorted[0]), compare);
	for (size_t i = 0; i < ARRAY_LEN(homes); i++) {
		WANT_TEXT("the order", sorted[i], homes[i].home);
		WANT_TEXT(homes[i].owner,
			  nesting_enter(&nesting, homes[i].home, homes[i].owner),
			  homes[i].inside);
	}
	nesting_clear(&nesting);
	nesting_clear(&nesting);
}

static const struct {
	const char *text, *word;
} words[] = {
	{ "", "''" },
	{ "/srv/mail", "'/srv/mail'" },
	{ "a b\"$`\\*", "'a b\"$`\\*'" },
	{ "it's", "'it'\\''s'" },
	{ "'", "''\\'''" },
	{ "j\303\266rg", "'j\303\266rg'" },
	{ "a\nb", "$'a\\012b'" },
	{ "\033[1m'\\", "$'\\033[1m\\047\\134'" },
	{ "latin\351", "$'latin\\351'" },
	{ "c1\302\205", "$'c1\\302\\205'" },
	{ "\177$x", "$'\\177$x'" },
};

static void test_words(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, words) {
		char *word = path_shell_word(row->text);

		WANT_TEXT(row->word, word, row->word);
		free(word);
	}
}

/* As bash reads it: all bytes, and what is left without the control characters. */
static void test_bash(void **state)
{
	static const size_t begins[] = { 0, 31, 127, 254 };
	char all[256], seen[256];

	(void)state;
	for (int byte = 1; byte < 256; byte++)
		all[byte - 1] = (char)byte;
	all[255] = '\0';
	FOR_EACH_ROW(begin, begins) {
		char *word = path_shell_word(all + *begin);
		char *command = xasprintf("printf %%s %s", word);
		FILE *output;

		setenv("COMMAND", command, 1);
		output = popen("exec bash -c \"$COMMAND\"", "re");
		assert_non_null(output);
		seen[fread(seen, 1, sizeof(seen) - 1, output)] = '\0';
		WANT_NUMBER(word, pclose(output), 0);
		WANT(word, strcmp(seen, all + *begin) == 0);
		free(command);
		free(word);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_normal), UNIT_TEST(test_inside), UNIT_TEST(test_nesting),
		UNIT_TEST(test_words),	UNIT_TEST(test_bash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
