/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/mail-location.h"
#include "common/xalloc.h"

/* "name=value name=value", in the order of enum mail_setting. */
static void show(const struct mail_location *location, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (int i = 0; i < MAIL_SETTINGS; i++) {
		if (location->values[i] == NULL)
			continue;
		len += (size_t)snprintf(text + len, size - len, "%s%s=%s", len > 0 ? " " : "",
					mail_setting_name((enum mail_setting)i),
					location->values[i]);
	}
}

#define MAILDIR(path, inbox) "mail_driver=maildir mail_path=" path " mail_inbox_path=" inbox

static const struct {
	const char *text, *want;
} locations[] = {
	{ "maildir:/m", MAILDIR("/m", ".") },
	{ "maildir:~/Maildir", MAILDIR("~/Maildir", ".") },
	{ "maildir:~", MAILDIR("~", ".") },
	{ "maildir:/m/", MAILDIR("/m", ".") },
	{ "maildir:/", MAILDIR("/", ".") },
	{ "maildir:/m:", MAILDIR("/m", ".") },
	{ "maildir:/a::b", MAILDIR("/a:b", ".") },
	{ "maildir:/a:::LAYOUT=fs", MAILDIR("/a:", ".") " mailbox_list_layout=fs" },
	{ "maildir:/50%/%n", MAILDIR("/50%/%n", ".") },
	{ "maildir:/with space", MAILDIR("/with space", ".") },
	{ "maildir:/srv/mail/mailboxes/d/joe:LAYOUT=fs",
	  MAILDIR("/srv/mail/mailboxes/d/joe", ".") " mailbox_list_layout=fs" },
	{ "maildir:/m:LAYOUT=Maildir++",
	  MAILDIR("/m", "") " mailbox_list_layout=maildir++" },
	{ "maildir:/m:LAYOUT=FS", MAILDIR("/m", "") " mailbox_list_layout=fs" },
	{ "mbox:/m:LAYOUT=FS", "mail_driver=mbox mail_path=/m mail_inbox_path=inbox"
			       " mailbox_list_layout=fs" },
	{ "maildir:/m:LAYOUT=index", MAILDIR("/m", "") " mailbox_list_layout=index" },
	{ "maildir:/m:LAYOUT=FS:DIRNAME=x",
	  MAILDIR("/m", "") " mailbox_list_layout=fs mailbox_directory_name=x"
			    " mailbox_directory_name_legacy=yes" },
	{ "maildir:/m:FULLDIRNAME=x",
	  MAILDIR("/m", "") " mailbox_directory_name=x"
			    " mailbox_directory_name_legacy=no" },
	{ "maildir:/m:INBOX=/var/mail/joe", MAILDIR("/m", "/var/mail/joe") },
	{ "maildir:/m:INBOX=~/in/", MAILDIR("/m", "~/in") },
	{ "maildir:/m:INBOX=", MAILDIR("/m", "") },
	{ "maildir:/m:INDEX=/a:INDEX=/b::c", MAILDIR("/m", ".") " mail_index_path=/b:c" },
	{ "Maildir:/m", MAILDIR("/m", ".") },
	{ "MBOX:/m", "mail_driver=mbox mail_path=/m mail_inbox_path=inbox" },
	{ "maildir:/m:INDEX=", MAILDIR("/m", ".") " mail_index_path=MEMORY" },
	{ "maildir:/m:INDEX=MEMORY", MAILDIR("/m", ".") " mail_index_path=MEMORY" },
	{ "maildir:/m:INDEX=/i:INDEXPVT=/p:INDEXCACHE=/c:CONTROL=/k:VOLATILEDIR=/v",
	  MAILDIR("/m", ".") " mail_index_path=/i mail_index_private_path=/p"
			     " mail_cache_path=/c mail_control_path=/k"
			     " mail_volatile_path=/v" },
	{ "maildir:/m:LISTINDEX=li:INDEX=/i:ITERINDEX:SUBSCRIPTIONS=subs",
	  MAILDIR("/m", ".") " mail_index_path=/i mailbox_list_index_prefix=li"
			     " mailbox_list_iter_from_index_dir=yes"
			     " mailbox_subscriptions_filename=subs" },
	{ "maildir:/m:UTF-8:NO-NOSELECT:NO-FS-VALIDATION:BROKENCHAR=^",
	  MAILDIR("/m", ".") " mailbox_list_drop_noselect=yes"
			     " mailbox_list_validate_fs_names=no"
			     " mailbox_list_visible_escape_char=^"
			     " mailbox_list_utf8=yes" },
	{ "mdbox:/m:ALT=/alt:ALTNOCHECK:MAILBOXDIR=boxes",
	  "mail_driver=mdbox mail_path=/m mail_inbox_path= mail_alt_path=/alt"
	  " mail_alt_check=no mailbox_root_directory_name=boxes" },
	{ "sdbox:~/s", "mail_driver=sdbox mail_path=~/s mail_inbox_path=" },
	{ "mbox:~/mail", "mail_driver=mbox mail_path=~/mail mail_inbox_path=inbox" },
	{ "mbox:~/mail:DIRNAME=x:LAYOUT=fs",
	  "mail_driver=mbox mail_path=~/mail mail_inbox_path=inbox"
	  " mailbox_list_layout=fs mailbox_directory_name=x"
	  " mailbox_directory_name_legacy=yes" },
	{ "mbox:~/mail:LAYOUT=maildir++",
	  "mail_driver=mbox mail_path=~/mail mail_inbox_path="
	  " mailbox_list_layout=maildir++" },
	{ "mbox:~/mail:INBOX=/var/mail/joe",
	  "mail_driver=mbox mail_path=~/mail mail_inbox_path=/var/mail/joe" },
	{ "imapc:", "mail_driver=imapc mail_path= mail_inbox_path=" },
	{ "imapc:~/cache", "mail_driver=imapc mail_path=~/cache mail_inbox_path=" },
};

static void test_locations(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, locations) {
		struct arena arena = { 0 };
		struct mail_location location;
		char got[1024];

		WANT_TEXT(row->text, mail_location_parse(row->text, &arena, &location), NULL);
		show(&location, got, sizeof(got));
		WANT_TEXT(row->text, got, row->want);
		arena_free(&arena);
	}
}

static void test_what_24_has_no_word_for(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "/var/mail/joe", "names no driver" },
		{ "m", "names no driver" },
		{ ":/m", "names no driver" },
		{ "mail dir:/m", "names no driver" },
		{ "auto:/m", "names no driver" },
		{ "maildir", "names no driver" },
		{ "maildir:", "has no path" },
		{ "maildir:/m:SHINY=1", "has SHINY, which" },
		{ "maildir:/m:layout=fs", "has layout, which" },
		{ "maildir:/m:LAYOUT", "has LAYOUT without a value" },
		{ "maildir:/m:NO-NOSELEC", "has NO-NOSELEC, which" },
		{ "maildir:/m:=x", "has , which" },
		{ "maildir:~joe/m", "home of a system user" },
		{ "maildir:/m:INDEX=~joe/m", "has INDEX in the home of a system user" },
		{ "mbox:~/mail:INBOX=inbox", "has INBOX with a relative path" },
		{ "maildir:/m:INBOX=.", "has INBOX with a relative path" },
		{ "maildir:/m:BROKENCHAR=", "has BROKENCHAR without one character" },
		{ "maildir:/m:BROKENCHAR=ab", "has BROKENCHAR without one character" },
		{ "maildir:/m:LAYOUT=fs:SHINY:INDEX=/i", "has SHINY, which" },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct arena arena = { 0 };
		struct mail_location location;
		char *exact = unit_exact(row->text, strlen(row->text) + 1);
		const char *why = mail_location_parse(exact, &arena, &location);

		WANT(row->text, why != NULL && strstr(why, row->why) != NULL);
		arena_free(&arena);
		free(exact);
	}
}

/* SQLite limits no text, and an auth process without memory ends. */
static void test_a_long_location_takes_memory_for_itself_only(void **state)
{
	enum { COPIES = 17000 };
	static const char flag[] = ":UTF-8";
	char *text = xmalloc(sizeof("maildir:/m") + COPIES * (sizeof(flag) - 1));
	struct arena arena = { 0 };
	struct mail_location location;
	size_t before, len = (size_t)sprintf(text, "maildir:/m");

	(void)state;
	for (int i = 0; i < COPIES; i++)
		len += (size_t)sprintf(text + len, "%s", flag);
	before = mallinfo2().uordblks;
	WANT_TEXT("it is understood", mail_location_parse(text, &arena, &location), NULL);
	WANT("memory", mallinfo2().uordblks - before < 2 * len);
	arena_free(&arena);
	free(text);
}

static void test_names(void **state)
{
	(void)state;
	for (int i = 0; i < MAIL_SETTINGS; i++) {
		const char *name = mail_setting_name((enum mail_setting)i);

		WANT(name, name != NULL && strncmp(name, "mail", 4) == 0);
		for (int j = 0; j < i; j++)
			WANT(name, strcmp(name, mail_setting_name((enum mail_setting)j)) != 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_locations),
		UNIT_TEST(test_what_24_has_no_word_for),
		UNIT_TEST(test_a_long_location_takes_memory_for_itself_only),
		UNIT_TEST(test_names),
	};

	return cmocka_run_group_tests_name("mail-location", tests, NULL, NULL);
}
