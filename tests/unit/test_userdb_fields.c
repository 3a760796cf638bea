/* SPDX-License-Identifier: MIT */
/* What each Dovecot gets about a user. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "common/mail-location.h"
#include "dovecot-plugin/userdb-fields.h"

struct text {
	char text[2048];
	size_t len;
};

static void put(void *arg, const char *name, const char *value)
{
	struct text *got = arg;

	got->len += (size_t)snprintf(got->text + got->len, sizeof(got->text) - got->len,
				     "%s%s=%s", got->len > 0 ? " " : "", name, value);
}

#define LOCATION "maildir:/m:LAYOUT=fs"
#define UNKNOWN "maildir:/m:SHINY"

static void test_fields(void **state)
{
	static const struct {
		const char *name;
		enum dovecot_generation generation;
		const char *mail, *want;	/* NULL: it cannot be told */
	} rows[] = {
		{ "2.3", DOVECOT_2_3, LOCATION, "home=/h mail=" LOCATION " quota_rule=*:storage=5G" },
		{ "2.3, whatever it is", DOVECOT_2_3, UNKNOWN,
		  "home=/h mail=" UNKNOWN " quota_rule=*:storage=5G" },
		{ "2.4", DOVECOT_2_4, LOCATION,
		  "home=/h mail_driver=maildir mail_path=/m mail_inbox_path=."
		  " mailbox_list_layout=fs quota_storage_size=5G" },
		{ "2.4, no setting for it", DOVECOT_2_4, UNKNOWN, NULL },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct user user = { "joe@d", "/h", row->mail, 5, QUOTA_OF_MAILBOX };
		struct arena arena = { 0 };
		struct text got = { .len = 0 };
		const char *why = userdb_put_fields(&user, row->generation, &arena, put, &got);

		WANT(row->name, (why == NULL) == (row->want != NULL));
		WANT_TEXT(row->name, got.text, row->want != NULL ? row->want : "");
		arena_free(&arena);
	}
}

/* Each name once, for any user: a missing name would make %{mum:NAME} an error. */
static void test_all_fields(void **state)
{
	static const struct user good = { "joe@d", "/h", LOCATION, 5, QUOTA_OF_MAILBOX },
				 bad = { "joe@d", "/h", UNKNOWN, 5, QUOTA_OF_MAILBOX };
	static const struct {
		const char *name;
		const struct user *user;
		const char *home, *layout, *index, *quota;
	} rows[] = {
		{ "a user", &good, " home=/h ", " mailbox_list_layout=fs ", " mail_index_path= ",
		  " quota_storage_size=5G " },
		{ "one that cannot be told", &bad, " home= ", " mailbox_list_layout= ",
		  " mail_index_path= ", " quota_storage_size= " },
		{ "nobody", NULL, " home= ", " mailbox_list_layout= ", " mail_index_path= ",
		  " quota_storage_size= " },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct text got = { .text = " ", .len = 1 };
		size_t fields = 0;

		userdb_put_all_fields(row->user, put, &got);
		strcat(got.text, " ");
		WANT(row->name, strstr(got.text, row->home) != NULL);
		WANT(row->name, strstr(got.text, row->layout) != NULL);
		WANT(row->name, strstr(got.text, row->index) != NULL);
		WANT(row->name, strstr(got.text, row->quota) != NULL);
		for (const char *at = got.text; (at = strchr(at, '=')) != NULL; at++)
			fields++;
		WANT_NUMBER(row->name, fields, MAIL_SETTINGS + 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_fields),
		UNIT_TEST(test_all_fields),
	};

	return cmocka_run_group_tests_name("userdb-fields", tests, NULL, NULL);
}
