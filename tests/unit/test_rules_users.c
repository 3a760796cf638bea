/* SPDX-License-Identifier: MIT */
/* Who may log in, who has mail, who is listed. */
#include "tests/unit/unit.h"

#include "common/rules-users.h"

#define ACTIVE { 0, "Joe@d", true, true, false }
#define SEND_ONLY { 0, "Joe@d", true, true, true }
#define INACTIVE { 0, "Joe@d", true, false, false }
#define DOMAIN_INACTIVE { 0, "Joe@d", false, true, false }
#define NAMELESS { 0, NULL, true, true, false }
#define DIRTY { 0, "Jo\ne@d", true, true, false }

static void test_who(void **state)
{
	static const struct {
		const char *name;
		struct mailbox_row mailbox;
		bool logs_in, has_mail;
	} rows[] = {
		{ "active", ACTIVE, true, true },
		{ "send-only", SEND_ONLY, true, false },
		{ "inactive", INACTIVE, false, false },
		{ "in an inactive domain", DOMAIN_INACTIVE, false, false },
		{ "without a name", NAMELESS, false, false },
		{ "a name that nobody should be handed", DIRTY, false, false },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct credential_row credential = { row->mailbox, "$2y$x" };
		struct user_row user = { row->mailbox, "/h", "m", "1", NULL };
		struct listed_row listed = { row->mailbox, 1 };
		struct facts credentials = { .count = 1, .credentials = &credential },
			     users = { .count = 1, .users = &user };
		struct mum_answer answer = { .status = MUM_FOUND,
					     .facts[MUM_CREDENTIAL] = &credentials,
					     .facts[MUM_USER] = &users };
		struct credential got;
		struct user got_user;
		const char *why = "unset";

		WANT_NUMBER(row->name, rule_credential(&answer, &got),
			    row->logs_in ? MUM_FOUND : MUM_NOT_FOUND);
		if (row->logs_in) {
			WANT_TEXT(row->name, got.address, "Joe@d");
			WANT_TEXT(row->name, got.password, "$2y$x");
			WANT(row->name, got.send_only == row->mailbox.send_only);
		}
		WANT_NUMBER(row->name, rule_user(&answer, &got_user, &why),
			    row->has_mail ? MUM_FOUND : MUM_NOT_FOUND);
		WANT_TEXT(row->name, why, NULL);
		WANT(row->name, rule_is_listed(&listed) == row->has_mail);
	}
}

struct row {
	const char *name, *home, *mail, *quota;
	bool ok;
	uint64_t want;
};

static void check_user(const struct row *row)
{
	struct user_row user = { ACTIVE, row->home, row->mail, row->quota, NULL };
	struct facts facts = { .count = 1, .users = &user };
	struct mum_answer answer = { .status = MUM_FOUND, .facts[MUM_USER] = &facts };
	struct user got;
	const char *why = "unset";

	WANT_NUMBER(row->name, rule_user(&answer, &got, &why),
		    row->ok ? MUM_FOUND : MUM_TEMPFAIL);
	WANT(row->name, (why == NULL) == row->ok);
	if (row->ok) {
		WANT_TEXT(row->name, got.home, row->home);
		WANT_TEXT(row->name, got.mail, row->mail);
		WANT_NUMBER(row->name, got.quota_gb, row->want);
	}
}

static void test_values_of_quota(void **state)
{
	static const struct row rows[] = {
		{ "plain", "/home/x", "maildir:~/", "5", true, 5 },
		{ "unlimited", "/home/x", "m", "0", true, 0 },
		{ "the largest quota", "/home/x", "m", "8589934591", true, 8589934591 },
		{ "2^33 gigabytes", "/home/x", "m", "8589934592", false, 0 },
		{ "over 64 bits", "/home/x", "m", "18446744073709551616", false, 0 },
		{ "a negative quota", "/home/x", "m", "-1", false, 0 },
		{ "a signed quota", "/home/x", "m", "+1", false, 0 },
		{ "a quota with a unit", "/home/x", "m", "1G", false, 0 },
		{ "a fraction", "/home/x", "m", "1.5", false, 0 },
		{ "a word as quota", "/home/x", "m", "none", false, 0 },
		{ "a blank quota", "/home/x", "m", " 1", false, 0 },
		{ "an empty quota", "/home/x", "m", "", false, 0 },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		check_user(row);
}

static void test_values_of_home(void **state)
{
	static const struct row rows[] = {
		{ "a home that was dirty", NULL, "m", "1", false, 0 },
		{ "an empty home", "", "m", "1", false, 0 },
		{ "a relative home", "home/x", "m", "1", false, 0 },
		{ "a home that climbs", "/home/../etc", "m", "1", false, 0 },
		{ "a home that climbs at its end", "/home/..", "m", "1", false, 0 },
		{ "dots in a name are no climbing", "/home/..x/y..", "m", "1", true, 1 },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		check_user(row);
}

static void test_values_of_mail(void **state)
{
	static const struct row rows[] = {
		{ "mail that was dirty", "/home/x", NULL, "1", false, 0 },
		{ "empty mail", "/home/x", "", "1", false, 0 },
		{ "mail that climbs", "/home/x", "maildir:/home/x/../y", "1", false, 0 },
		{ "mail that climbs at its end", "/home/x", "maildir:/home/..", "1", false, 0 },
		{ "mail that climbs before its options", "/home/x", "maildir:/x/..:LAYOUT=fs",
		  "1", false, 0 },
		{ "mail that climbs from home", "/home/x", "maildir:../y", "1", false, 0 },
		{ "mail that climbs, without a driver", "/home/x", "../y", "1", false, 0 },
		{ "an index that climbs", "/home/x", "maildir:~/m:INDEX=../y", "1", false, 0 },
		{ "dots in the name of mail", "/home/x", "maildir:/x/a../..b:LAYOUT=..c/...",
		  "1", true, 1 },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		check_user(row);
}

static void test_where_a_quota_comes_from(void **state)
{
	static const struct {
		const char *name, *own, *domain;
		uint64_t want;
		enum quota_source source;
	} rows[] = {
		{ "of the mailbox", "5", NULL, 5, QUOTA_OF_MAILBOX },
		{ "of both", "5", "3", 5, QUOTA_OF_MAILBOX },
		{ "unlimited, whatever the domain says", "0", "3", 0, QUOTA_OF_MAILBOX },
		{ "of the domain", NULL, "3", 3, QUOTA_OF_DOMAIN },
		{ "unlimited by the domain", NULL, "0", 0, QUOTA_OF_DOMAIN },
		{ "of nobody", NULL, NULL, 0, QUOTA_OF_NOBODY },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct user_row user = { ACTIVE, "/h", "m", row->own, row->domain };
		struct facts facts = { .count = 1, .users = &user };
		struct mum_answer answer = { .status = MUM_FOUND, .facts[MUM_USER] = &facts };
		struct user got = { .quota_gb = 77 };
		const char *why;

		WANT_NUMBER(row->name, rule_user(&answer, &got, &why), MUM_FOUND);
		WANT_NUMBER(row->name, got.quota_gb, row->want);
		WANT_NUMBER(row->name, got.quota_source, row->source);
	}
}

static void test_trouble_passes_through(void **state)
{
	static const enum mum_status all[] = { MUM_TEMPFAIL, MUM_NOT_FOUND,
					       MUM_MISCONFIGURED };

	(void)state;
	FOR_EACH_ROW(status, all) {
		struct mum_answer answer = { .status = *status };
		struct credential credential;
		struct user user;
		const char *why = "unset";

		WANT_NUMBER("credential", rule_credential(&answer, &credential), *status);
		WANT_NUMBER("user", rule_user(&answer, &user, &why), *status);
		WANT_TEXT("no reason of its own", why, NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_who),
		UNIT_TEST(test_values_of_quota),
		UNIT_TEST(test_values_of_home),
		UNIT_TEST(test_values_of_mail),
		UNIT_TEST(test_where_a_quota_comes_from),
		UNIT_TEST(test_trouble_passes_through),
	};

	return cmocka_run_group_tests_name("rules about users", tests, NULL, NULL);
}
