/* SPDX-License-Identifier: MIT */
/* How much is kept of a mail log, whose text comes from strangers. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <unistd.h>

#include "common/xalloc.h"
#include "mumctl/compare/names.h"
#include "mumctl/tool.h"

enum { NAMES_MAX = 100000 };

static char complaint[256];	/* the last one */

void tool_complain(const char *what, const char *why)
{
	(void)what;
	snprintf(complaint, sizeof(complaint), "%s", why);
}

struct world {
	FILE *file;
	char path[32];
	struct names names;
	struct sents sents;
};

static void setup(struct world *world)
{
	int fd;

	complaint[0] = '\0';
	snprintf(world->path, sizeof(world->path), "/tmp/mum-log-XXXXXX");
	fd = mkstemp(world->path);
	assert_true(fd >= 0);
	world->file = fdopen(fd, "w");
	assert_non_null(world->file);
	names_init(&world->names);
	sents_init(&world->sents);
}

static void read_log(struct world *world)
{
	fclose(world->file);
	WANT("log_read", log_read(world->path, &world->names, &world->sents));
	unlink(world->path);
}

static void clear(struct world *world)
{
	names_clear(&world->names);
	sents_clear(&world->sents);
}

/* The kinds of a name; 0 if the name is not kept. */
static unsigned kinds_of(const struct world *world, const char *text)
{
	for (const struct name *name = world->names.first; name != NULL; name = name->hh.next) {
		if (strcmp(name->text, text) == 0)
			return name->kinds;
	}
	return 0;
}

static void test_what_each_name_is(void **state)
{
	struct world world;

	(void)state;
	setup(&world);
	fputs("Nov 29 15:00:01 mx a/smtpd[1]: X1: client=h[1], sasl_username=l@l.test\n"
	      "Nov 29 15:00:01 mx a/qmgr[1]: X1: from=<s@s.test>, size=1\r\n"
	      "Nov 29 15:00:01 mx a/lmtp[1]: X1: to=<r@r.test>, orig_to=<o@o.test>, relay=x", world.file);
	read_log(&world);
	WANT_NUMBER("login", kinds_of(&world, "l@l.test"), NAME_IS_LOGIN);
	WANT_NUMBER("sender", kinds_of(&world, "s@s.test"), NAME_IS_SENDER);
	WANT_NUMBER("recipient", kinds_of(&world, "r@r.test"), NAME_IS_RECIPIENT | NAME_IS_LOGIN);
	WANT_NUMBER("original", kinds_of(&world, "o@o.test"), NAME_IS_RECIPIENT | NAME_IS_LOGIN);
	WANT_NUMBER("domain", kinds_of(&world, "r.test"), NAME_IS_DOMAIN | NAME_IS_NEXT_HOP);
	WANT_NUMBER("names", HASH_COUNT(world.names.first), 6);
	WANT_NUMBER("sents", HASH_COUNT(world.sents.first), 1);
	WANT_TEXT("login", world.sents.first->login, "l@l.test");
	WANT_TEXT("sender", world.sents.first->sender, "s@s.test");
	WANT_TEXT("complaint", complaint, "");
	clear(&world);
}

static void test_names_have_a_limit(void **state)
{
	struct world world;

	(void)state;
	setup(&world);
	for (int i = 0; i < NAMES_MAX + 10; i++)
		fprintf(world.file, "x a/lmtp[1]: X: to=<u%d@d.test>\n", i);
	read_log(&world);
	WANT_NUMBER("names", HASH_COUNT(world.names.first), NAMES_MAX);
	WANT("complaint", strstr(complaint, "over 100000 addresses") != NULL);
	clear(&world);
}

/* Mails whose sender never comes, and pairs of login and sender. */
static void test_memory_for_senders_has_a_limit(void **state)
{
	struct world world;

	(void)state;
	setup(&world);
	for (int i = 0; i < NAMES_MAX + 10; i++)
		fprintf(world.file, "x a/smtpd[1]: X%d: client=h[1], sasl_username=l\n", i);
	for (int i = 0; i < NAMES_MAX + 10; i++)
		fprintf(world.file, "x a/qmgr[1]: X%d: from=<u%d@d.test>\n", i, i);
	for (int i = 0; i < NAMES_MAX + 10; i++)
		fprintf(world.file, "x a/smtpd[1]: NOQUEUE: reject: no; from=<v%d@d.test> "
				    "to=<a@b> proto=ESMTP helo=<x> sasl_username=<l>\n", i);
	read_log(&world);
	WANT_NUMBER("sents", HASH_COUNT(world.sents.first), NAMES_MAX);
	WANT("complaint", strstr(complaint, "over 100000 addresses") != NULL);
	clear(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_what_each_name_is),
		UNIT_TEST(test_names_have_a_limit),
		UNIT_TEST(test_memory_for_senders_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
