/* SPDX-License-Identifier: MIT */
/* What a row says of one thing. test_rules.c tests recipients, through their aliases. */
#include "tests/unit/unit.h"

#include "common/rules.h"

static void test_mailboxes(void **state)
{
	static const struct {
		const char *name;
		struct delivery_row row;
		enum mailbox_state want;
	} rows[] = {
		{ "none", { .domain_active = true }, MAILBOX_IS_UNKNOWN },
		{ "the domain first", { .mailbox = "a@d" }, MAILBOX_IS_IN_INACTIVE_DOMAIN },
		{ "inactive", { .mailbox = "a@d", .domain_active = true,
				.mailbox_send_only = true }, MAILBOX_IS_INACTIVE },
		{ "send-only", { .mailbox = "a@d", .domain_active = true, .mailbox_active = true,
				 .mailbox_send_only = true }, MAILBOX_IS_SEND_ONLY },
		{ "live", { .mailbox = "a@d", .domain_active = true, .mailbox_active = true },
		  MAILBOX_IS_LIVE },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		WANT_NUMBER(row->name, state_of_mailbox(&row->row), row->want);
}

static void test_logins(void **state)
{
	static const struct {
		const char *name;
		struct mailbox_row row;
		enum mailbox_state want;
	} rows[] = {
		{ "the domain first", { .address = "a@d" }, MAILBOX_IS_IN_INACTIVE_DOMAIN },
		{ "inactive, whatever its name", { .domain_active = true }, MAILBOX_IS_INACTIVE },
		{ "a name with a NUL", { .domain_active = true, .active = true },
		  MAILBOX_HAS_UNCLEAN_NAME },
		{ "a name with a newline",
		  { .address = "a\n@d", .domain_active = true, .active = true, .send_only = true },
		  MAILBOX_HAS_UNCLEAN_NAME },
		{ "send-only",
		  { .address = "a@d", .domain_active = true, .active = true, .send_only = true },
		  MAILBOX_IS_SEND_ONLY },
		{ "live", { .address = "a@d", .domain_active = true, .active = true },
		  MAILBOX_IS_LIVE },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		WANT_NUMBER(row->name, state_of_login(&row->row), row->want);
}

#define ALIAS .alias = "a@d", .domain_active = true, .alias_active = true

static void test_aliases(void **state)
{
	static const struct {
		const char *name;
		struct delivery_row row;
		enum alias_state want;
	} rows[] = {
		{ "none", { .domain_active = true }, ALIAS_IS_UNKNOWN },
		{ "the domain first", { .alias = "a@d", .alias_expired = true },
		  ALIAS_IS_IN_INACTIVE_DOMAIN },
		{ "inactive before expired",
		  { .alias = "a@d", .domain_active = true, .alias_expired = true },
		  ALIAS_IS_INACTIVE },
		{ "expired", { ALIAS, .alias_expired = true, .recipient = "x@y",
			       .stands_for = "x@y" }, ALIAS_IS_EXPIRED },
		{ "empty", { ALIAS }, ALIAS_IS_EMPTY },
		{ "dead", { ALIAS, .recipient = "x@y" }, ALIAS_IS_DEAD },
		{ "live", { ALIAS, .recipient = "x@y", .stands_for = "x@y" }, ALIAS_IS_LIVE },
		{ "too long", { ALIAS, .left_out = 1 }, ALIAS_IS_TOO_LONG },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		WANT_NUMBER(row->name, state_of_alias(&row->row), row->want);
}

#define OWNER .domain_active = true, .mailbox_domain_active = true
#define ACTIVE OWNER, .mailbox_active = true

static void test_owners(void **state)
{
	static const struct {
		const char *name;
		struct owner_row row;
		enum owner_state want;
	} rows[] = {
		{ "itself", { ACTIVE }, OWNER_IS_LIVE },
		{ "itself, inactive", { OWNER }, OWNER_IS_INACTIVE_ITSELF },
		{ "in an inactive domain", { .mailbox_domain_active = true },
		  OWNER_IS_IN_INACTIVE_DOMAIN },
		{ "from an inactive domain", { .id = 1, .domain_active = true },
		  OWNER_IS_IN_INACTIVE_DOMAIN },
		{ "by an alias", { ACTIVE, .id = 1, .alias_active = true }, OWNER_IS_LIVE },
		{ "inactive", { OWNER, .id = 1, .alias_active = true }, OWNER_IS_INACTIVE },
		{ "by an inactive alias", { OWNER, .id = 1, .alias_expired = true },
		  OWNER_OF_INACTIVE_ALIAS },
		{ "by an expired alias",
		  { ACTIVE, .id = 1, .alias_active = true, .alias_expired = true },
		  OWNER_OF_EXPIRED_ALIAS },
		{ "inactive, by an expired alias",
		  { OWNER, .id = 1, .alias_active = true, .alias_expired = true },
		  OWNER_IS_INACTIVE_OF_EXPIRED_ALIAS },
	};

	(void)state;
	FOR_EACH_ROW(row, rows)
		WANT_NUMBER(row->name, state_of_owner(&row->row), row->want);
}

/* ---- which row counts ---- */

#define BOX .domain_active = true, .mailbox_active = true
#define LIVE ALIAS, .recipient = "x@y", .stands_for = "x@y"
#define DEAD ALIAS, .recipient = "x@y"

enum { NONE = -1 };

/* Rows of joe+tag@d: which is the mailbox's, which the alias's, and which decides. */
static const struct {
	const char *name;
	struct delivery_row rows[3];
	enum mailbox_state mailbox_state;
	int mailbox;
	enum alias_state alias_state;
	int alias;
	enum recipient_verdict verdict;
	int decides;
} rulings[] = {
	{ "nothing", { { 0 } }, MAILBOX_IS_UNKNOWN, NONE, ALIAS_IS_UNKNOWN, NONE,
	  RECIPIENT_UNKNOWN, NONE },
	{ "the active mailbox before an inactive one",
	  { { .mailbox = "b@d", .domain_active = true }, { .form = 1, .mailbox = "a@d", BOX } },
	  MAILBOX_IS_LIVE, 1, ALIAS_IS_UNKNOWN, NONE, RECIPIENT_ACCEPTED, 1 },
	{ "else the first mailbox that there is",
	  { { .form = 0, ALIAS, .alias_expired = true },
	    { .form = 1, .mailbox = "a@d", .domain_active = true } },
	  MAILBOX_IS_INACTIVE, 1, ALIAS_IS_EXPIRED, 0, RECIPIENT_UNKNOWN, NONE },
	{ "the live alias before a dead one", { { DEAD }, { .form = 1, LIVE } },
	  MAILBOX_IS_UNKNOWN, NONE, ALIAS_IS_LIVE, 1, RECIPIENT_ACCEPTED, 1 },
	{ "of a live alias the row that is live", { { DEAD }, { LIVE } },
	  MAILBOX_IS_UNKNOWN, NONE, ALIAS_IS_LIVE, 1, RECIPIENT_ACCEPTED, 1 },
	{ "a dead one before one that is expired",
	  { { ALIAS, .alias_expired = true }, { .form = 1, DEAD } },
	  MAILBOX_IS_UNKNOWN, NONE, ALIAS_IS_DEAD, 1, RECIPIENT_DEAD_ALIAS, 1 },
	{ "the first of two that exist", { { ALIAS }, { .form = 1, DEAD } },
	  MAILBOX_IS_UNKNOWN, NONE, ALIAS_IS_EMPTY, 0, RECIPIENT_ACCEPTED, 0 },
	{ "a live alias before a mailbox",
	  { { .mailbox = "b@d", BOX }, { .form = 1, LIVE } },
	  MAILBOX_IS_LIVE, 0, ALIAS_IS_LIVE, 1, RECIPIENT_ACCEPTED, 1 },
	{ "a mailbox before a dead alias",
	  { { DEAD }, { .form = 1, .mailbox = "a@d", BOX, .mailbox_send_only = true } },
	  MAILBOX_IS_SEND_ONLY, 1, ALIAS_IS_DEAD, 0, RECIPIENT_SEND_ONLY, 1 },
	{ "an alias with recipients left out",
	  { { ALIAS, .left_out = 30000 } }, MAILBOX_IS_UNKNOWN, NONE, ALIAS_IS_TOO_LONG, 0,
	  RECIPIENT_ACCEPTED, 0 },
};

static int place_of(const struct delivery_row *rows, const struct delivery_row *row)
{
	return row != NULL ? (int)(row - rows) : NONE;
}

static void test_the_row_that_decides(void **state)
{
	struct address *address = address_new(ADDRESS_MAIL, "joe+tag@d", 9, "+");

	(void)state;
	FOR_EACH_ROW(row, rulings) {
		struct delivery_row *rows = (struct delivery_row *)row->rows;
		struct facts facts = { .count = ARRAY_LEN(row->rows), .deliveries = rows };
		struct mum_answer answer = { .status = MUM_FOUND, .address = address,
					     .facts[MUM_DELIVERY] = &facts };
		struct arena arena = { NULL };
		struct recipients found = { .count = 0 };
		struct recipient_ruling ruling;
		const struct delivery_row *mailbox;

		WANT_NUMBER(row->name, rule_mailbox_state(&answer, &mailbox),
			    row->mailbox_state);
		WANT_NUMBER(row->name, place_of(rows, mailbox), row->mailbox);
		(void)rule_recipients(&answer, &arena, &found);
		WANT_NUMBER(row->name, found.state, row->alias_state);
		WANT_NUMBER(row->name, place_of(rows, found.alias), row->alias);
		WANT_NUMBER(row->name, rule_recipient(&answer, &ruling), MUM_FOUND);
		WANT_NUMBER(row->name, ruling.verdict, row->verdict);
		WANT_NUMBER(row->name, place_of(rows, ruling.alias != NULL ? ruling.alias
									   : ruling.mailbox),
			    row->decides);
		WANT(row->name, ruling.alias == NULL || ruling.mailbox == NULL);
		arena_free(&arena);
	}
	address_unref(&address);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_mailboxes),
		UNIT_TEST(test_logins),
		UNIT_TEST(test_aliases),
		UNIT_TEST(test_owners),
		UNIT_TEST(test_the_row_that_decides),
	};

	return cmocka_run_group_tests_name("states", tests, NULL, NULL);
}
