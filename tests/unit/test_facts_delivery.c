/* SPDX-License-Identifier: MIT */
/* The rows about where mail goes, and what the recipients of an alias stand for. */
#include "tests/unit/unit.h"

#include "common/columns.h"
#include "tests/unit/facts-cells.h"

/* A row of DELIVERY about joe@example.com: an alias to elsewhere, no mailbox. */
static void test_delivery_rows(void **state)
{
	struct address *address = mail("joe@example.com");
	struct facts *facts = facts_new(MUM_DELIVERY);
	const char *cells[COLUMNS_MAX + 1] = DELIVERY_CELLS;
	const struct delivery_row *row;

	(void)state;
	add(facts, address, 0, cells);
	cells[RECIPIENT_ID] = "18446744073709551615";
	cells[RECIPIENT_ADDRESS] = " Two@x ";
	cells[RECIPIENT_MAILBOX] = "7";
	cells[RECIPIENT_MAILBOX_LOCAL] = "Two";
	cells[RECIPIENT_MAILBOX_DOMAIN] = "new.example";
	cells[RECIPIENT_MAILBOX_ACTIVE] = cells[RECIPIENT_MAILBOX_DOMAIN_ACTIVE] = "1";
	cells[RECIPIENT_MAILBOX_SEND_ONLY] = "0";
	cells[DELIVERY_ALIAS_EXPIRED] = "1";
	cells[DELIVERY_MAILBOX_LOCAL] = "JOE";
	cells[DELIVERY_MAILBOX_ACTIVE] = cells[DELIVERY_MAILBOX_SEND_ONLY] = "1";
	add(facts, address, 0, cells);
	cells[RECIPIENT_ID] = cells[RECIPIENT_ADDRESS] = NULL;
	cells[DELIVERY_DOMAIN_ACTIVE] = "0";
	add(facts, address, 0, cells);
	pack(&facts);
	assert_int_equal(facts->count, 3);
	row = &facts->deliveries[0];
	WANT_TEXT("the alias", row->alias, "Joe@Example.com");
	WANT("alive", row->domain_active && row->alias_active && !row->alias_expired);
	WANT_TEXT("its recipient", row->recipient, "to@example.org");
	WANT_NUMBER("and the id of that", row->recipient_id, 7);
	WANT("external", !row->recipient_local);
	WANT_TEXT("for which it stands", row->stands_for, "to@example.org");
	WANT("no mailbox", row->mailbox == NULL && !row->mailbox_active);
	row = &facts->deliveries[1];
	WANT_TEXT("as it is stored", row->recipient, " Two@x ");
	WANT_TEXT("the present address of its mailbox", row->stands_for, "Two@new.example");
	WANT_NUMBER("any id", row->recipient_id, UINT64_MAX);
	WANT("local", row->recipient_local && row->recipient_active &&
	     row->recipient_domain_active && !row->recipient_send_only);
	WANT("expired", row->alias_expired);
	WANT_TEXT("a mailbox of that name", row->mailbox, "JOE@Example.com");
	WANT("its flags", row->mailbox_active && row->mailbox_send_only);
	row = &facts->deliveries[2];
	WANT("no recipient at all", row->recipient == NULL && !row->recipient_local);
	WANT("inactive domain", !row->domain_active);
	facts_unref(&facts);
	address_unref(&address);
}

/* The text of an external recipient without the blanks around it, and no other change. */
static void test_what_a_recipient_stands_for(void **state)
{
	static const struct {
		const char *name, *text, *mailbox_id, *local, *domain, *want;
	} rows[] = {
		{ "a text", "x@y", NULL, NULL, NULL, "x@y" },
		{ "blanks at both ends", " \tx@y\r\n ", NULL, NULL, NULL, "x@y" },
		{ "blanks inside", "\"a b\"@y", NULL, NULL, NULL, "\"a b\"@y" },
		{ "nothing but blanks", " \t\r\n", NULL, NULL, NULL, "" },
		{ "nothing", "", NULL, NULL, NULL, "" },
		{ "a mailbox", "x@y", "7", "B", "new", "B@new" },
		{ "a mailbox, and a blank text", " ", "7", "b", "new", "b@new" },
		{ "a mailbox that is gone", "x@y", "7", NULL, NULL, NULL },
	};
	struct address *address = mail("joe@example.com");

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct facts *facts = facts_new(MUM_DELIVERY);
		const char *cells[COLUMNS_MAX + 1] = DELIVERY_CELLS;

		cells[RECIPIENT_ADDRESS] = row->text;
		cells[RECIPIENT_MAILBOX] = row->mailbox_id;
		cells[RECIPIENT_MAILBOX_LOCAL] = row->local;
		cells[RECIPIENT_MAILBOX_DOMAIN] = row->domain;
		WANT(row->name, add(facts, address, 0, cells));
		WANT_TEXT(row->name, facts->deliveries[0].stands_for, row->want);
		WANT(row->name,
		     facts->deliveries[0].recipient_local == (row->mailbox_id != NULL));
		facts_unref(&facts);
	}
	address_unref(&address);
}

/* One row for each name, whatever it is; only those of the name asked for count. */
static void test_names(void **state)
{
	static const struct {
		const char *name;
		const char *cells[NAME_COLUMNS];
		struct name_row want;
	} rows[] = {
		{ "nothing", { "1", "example.com", "1" }, { .domain_active = true } },
		{ "an inactive domain", { "1", "example.com", "0" }, { 0 } },
		{ "a mailbox", { "1", "example.com", "1", "joe", "1", "0" },
		  { .domain_active = true, .mailbox = true, .mailbox_active = true } },
		{ "one that only sends, inactive", { "1", "example.com", "1", "joe", "0", "1" },
		  { .domain_active = true, .mailbox = true, .mailbox_send_only = true } },
		{ "another's mailbox", { "1", "example.com", "1", "jo\xc3\xa9", "1", "1" },
		  { .domain_active = true } },
		{ "an alias", { "1", "example.com", "1", NULL, NULL, NULL, "JOE", "1", "0", "1" },
		  { .domain_active = true, .alias = true, .alias_active = true,
		    .alias_has_recipients = true } },
		{ "one that is expired, without recipients",
		  { "1", "example.com", "1", NULL, NULL, NULL, "JOE", "1", "1", "0" },
		  { .domain_active = true, .alias = true, .alias_active = true,
		    .alias_expired = true } },
		{ "another's alias",
		  { "1", "example.com", "1", NULL, NULL, NULL, "jo\xc3\xa9", "1", "1", "1" },
		  { .domain_active = true } },
	};
	struct address *address = mail("joe@example.com");

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct facts *facts = facts_new(MUM_NAME);
		const char *cells[COLUMNS_MAX + 1] = { NULL };

		memcpy(cells, row->cells, sizeof(row->cells));
		WANT(row->name, add(facts, address, 0, cells));
		assert_int_equal(facts->count, 1);
		WANT(row->name,
		     memcmp(&facts->names[0], &row->want, sizeof(row->want)) == 0);
		facts_unref(&facts);
	}
	address_unref(&address);
}

static void test_each_delivery_boolean_has_its_column(void **state)
{
	static const size_t columns[] = {
		DELIVERY_DOMAIN_ACTIVE, DELIVERY_MAILBOX_ACTIVE, DELIVERY_MAILBOX_SEND_ONLY,
		DELIVERY_ALIAS_ACTIVE, DELIVERY_ALIAS_EXPIRED, RECIPIENT_MAILBOX_ACTIVE,
		RECIPIENT_MAILBOX_DOMAIN_ACTIVE, RECIPIENT_MAILBOX_SEND_ONLY,
	};
	struct address *address = mail("joe@example.com");

	(void)state;
	for (size_t set = 0; set < ARRAY_LEN(columns); set++) {
		struct facts *facts = facts_new(MUM_DELIVERY);
		const char *cells[COLUMNS_MAX + 1] = { "1", "example.com", "0", "joe", "0",
						       "0", "joe", "0", "0", "7", "x@y",
						       "3", "x", "y", "0", "0", "0" };
		const struct delivery_row *row;

		cells[columns[set]] = "1";
		add(facts, address, 0, cells);
		row = &facts->deliveries[0];
		WANT("domain active", row->domain_active == (set == 0));
		WANT("mailbox active", row->mailbox_active == (set == 1));
		WANT("mailbox send-only", row->mailbox_send_only == (set == 2));
		WANT("alias active", row->alias_active == (set == 3));
		WANT("alias expired", row->alias_expired == (set == 4));
		WANT("recipient active", row->recipient_active == (set == 5));
		WANT("recipient's domain active", row->recipient_domain_active == (set == 6));
		WANT("recipient send-only", row->recipient_send_only == (set == 7));
		facts_unref(&facts);
	}
	address_unref(&address);
}

/* The collation joins more than the name; each side is judged for itself. */
static void test_delivery_names(void **state)
{
	static const struct {
		const char *name, *mailbox, *alias;
		bool want_mailbox, want_alias;
	} rows[] = {
		{ "both", "joe", "JOE", true, true },
		{ "only a mailbox", "joe", NULL, true, false },
		{ "only an alias", NULL, "joe", false, true },
		{ "another's mailbox", "jo\xc3\xa9", "joe", false, true },
		{ "another's alias", "joe", "joe ", true, false },
		{ "both another's", "jo\xc3\xa9", "joe\xe2\x80\x8b", false, false },
	};
	struct address *address = mail("joe@example.com");

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct facts *facts = facts_new(MUM_DELIVERY);
		const char *cells[COLUMNS_MAX + 1] = DELIVERY_CELLS;

		cells[DELIVERY_MAILBOX_LOCAL] = row->mailbox;
		cells[DELIVERY_MAILBOX_ACTIVE] = "1";
		cells[DELIVERY_ALIAS_LOCAL] = row->alias;
		WANT(row->name, add(facts, address, 0, cells));
		for (size_t i = 0; i < facts->count; i++) {
			const struct delivery_row *got = &facts->deliveries[i];

			WANT(row->name, (got->mailbox != NULL) == row->want_mailbox);
			WANT(row->name, got->mailbox_active == row->want_mailbox);
			WANT(row->name, (got->alias != NULL) == row->want_alias);
			WANT(row->name, (got->recipient != NULL) == row->want_alias);
		}
		WANT(row->name, facts->count == 1 ||
		     (!row->want_mailbox && !row->want_alias));
		facts_unref(&facts);
	}
	address_unref(&address);
}

static void test_delivery_rows_of_another_domain(void **state)
{
	static const char *const others[] = { "example.org", "ex\xc3\xa1mple.com",
					      "example.com ", NULL };
	struct address *address = mail("joe@example.com");

	(void)state;
	FOR_EACH_ROW(other, others) {
		struct facts *facts = facts_new(MUM_DELIVERY);
		const char *cells[COLUMNS_MAX + 1] = DELIVERY_CELLS;

		cells[DELIVERY_DOMAIN] = *other;
		WANT("passed over", add(facts, address, 0, cells));
		WANT_NUMBER("no row", facts->count, 0);
		facts_unref(&facts);
	}
	address_unref(&address);
}

static void test_recipients_that_cannot_be_read(void **state)
{
	static const struct {
		const char *name, *id, *recipient;
	} rows[] = {
		{ "an id that is no number", "x", "a@b" },
		{ "an id with a tail", "7x", "a@b" },
		{ "an id too large", "18446744073709551616", "a@b" },
		{ "an id without a recipient", "7", NULL },
	};
	struct address *address = mail("joe@example.com");

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct facts *facts = facts_new(MUM_DELIVERY);
		const char *cells[COLUMNS_MAX + 1] = DELIVERY_CELLS;

		cells[RECIPIENT_ID] = row->id;
		cells[RECIPIENT_ADDRESS] = row->recipient;
		WANT(row->name, !add(facts, address, 0, cells));
		WANT_NUMBER(row->name, facts->count, 0);
		facts_unref(&facts);
	}
	address_unref(&address);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_delivery_rows),
		UNIT_TEST(test_what_a_recipient_stands_for),
		UNIT_TEST(test_names),
		UNIT_TEST(test_each_delivery_boolean_has_its_column),
		UNIT_TEST(test_delivery_names),
		UNIT_TEST(test_delivery_rows_of_another_domain),
		UNIT_TEST(test_recipients_that_cannot_be_read),
	};

	return cmocka_run_group_tests_name("facts about deliveries", tests, NULL, NULL);
}
