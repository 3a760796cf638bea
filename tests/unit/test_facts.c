/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "common/columns.h"
#include "tests/unit/facts-cells.h"

#define KEY "joe+tag@example.com"

/* ---- rows that are the name asked for, and rows that are not ---- */

static void test_the_name_asked_for(void **state)
{
	static const struct {
		const char *name;
		size_t form;
		const char *local, *domain;
		size_t count;
	} rows[] = {
		{ "the full form", 0, "joe+tag", "example.com", 1 },
		{ "the form without extension", 1, "joe", "example.com", 1 },
		{ "another case", 1, "JOE", "Example.COM", 1 },
		{ "the other form's name", 0, "joe", "example.com", 0 },
		{ "the full name for the other form", 1, "joe+tag", "example.com", 0 },
		{ "what a collation finds: accents", 1, "jo\xc3\xa9", "example.com", 0 },
		{ "trailing blanks", 1, "joe ", "example.com", 0 },
		{ "zero width", 1, "joe\xe2\x80\x8b", "example.com", 0 },
		{ "full width", 1, "\xef\xbd\x8aoe", "example.com", 0 },
		{ "another domain", 1, "joe", "example.org", 0 },
		{ "a domain with an accent", 1, "joe", "ex\xc3\xa1mple.com", 0 },
		{ "no local part", 1, NULL, "example.com", 0 },
		{ "no domain", 1, "joe", NULL, 0 },
	};
	struct address *address = mail(KEY);

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct facts *facts = facts_new(MUM_CREDENTIAL);
		const char *cells[COLUMNS_MAX + 1] = { "1", row->local, row->domain, "1", "1",
						       "0" };

		WANT(row->name, add(facts, address, row->form, cells));
		WANT_NUMBER(row->name, facts->count, row->count);
		if (facts->count > 0)
			WANT_NUMBER(row->name, facts->credentials[0].mailbox.form, row->form);
		facts_unref(&facts);
	}
	address_unref(&address);
}

/* Of a name with a NUL inside only the part before it would be compared. */
static void test_a_nul_in_the_name_is_another_name(void **state)
{
	struct address *address = mail("joe@example.com");

	(void)state;
	for (size_t dirty = MAILBOX_LOCAL; dirty <= MAILBOX_DOMAIN; dirty++) {
		struct facts *facts = facts_new(MUM_CREDENTIAL);
		const char *cells[COLUMNS_MAX + 1] = { "1", "joe", "example.com", "1", "1",
						       "0" };
		struct column columns[COLUMNS_MAX + 1];
		const char *why = NULL;

		unit_columns(columns, cells, COLUMNS_MAX + 1);
		columns[dirty] = dirty == MAILBOX_LOCAL
					 ? (struct column){ "joe\0x", 5 }
					 : (struct column){ "example.com\0x", 13 };
		WANT("passed over", facts_add_row(facts, address, 0, columns, &why));
		WANT_NUMBER("no row", facts->count, 0);
		facts_unref(&facts);
	}
	address_unref(&address);
}

static void test_a_row_for_a_form_that_was_not_asked(void **state)
{
	struct address *address = mail("joe@example.com");
	struct facts *facts = facts_new(MUM_CREDENTIAL);
	const char *cells[COLUMNS_MAX + 1] = { "2", "joe", "example.com", "1", "1", "0" };

	(void)state;
	WANT("makes the answer worthless", !add(facts, address, 1, cells));
	WANT_NUMBER("no row", facts->count, 0);
	facts_unref(&facts);
	address_unref(&address);
}

/* ---- values ---- */

static void test_booleans(void **state)
{
	static const struct {
		const char *text;
		bool want;
	} rows[] = { { "0", false }, { "1", true }, { "2", true }, { NULL, false } };
	struct address *address = mail("joe@example.com");

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct facts *facts = facts_new(MUM_CREDENTIAL);
		const char *cells[COLUMNS_MAX + 1] = { "1", "joe", "example.com", row->text,
						       row->text, row->text };

		WANT("read", add(facts, address, 0, cells));
		WANT("domain active", facts->credentials[0].mailbox.domain_active == row->want);
		WANT("active", facts->credentials[0].mailbox.active == row->want);
		WANT("send-only", facts->credentials[0].mailbox.send_only == row->want);
		facts_unref(&facts);
	}
	address_unref(&address);
}

static void test_each_boolean_has_its_column(void **state)
{
	struct address *address = mail("joe@example.com");

	(void)state;
	for (size_t set = MAILBOX_DOMAIN_ACTIVE; set <= MAILBOX_SEND_ONLY; set++) {
		struct facts *facts = facts_new(MUM_CREDENTIAL);
		const char *cells[COLUMNS_MAX + 1] = { "1", "joe", "example.com", "0", "0",
						       "0" };

		cells[set] = "1";
		add(facts, address, 0, cells);
		WANT("domain active", facts->credentials[0].mailbox.domain_active ==
		     (set == MAILBOX_DOMAIN_ACTIVE));
		WANT("active", facts->credentials[0].mailbox.active == (set == MAILBOX_ACTIVE));
		WANT("send-only", facts->credentials[0].mailbox.send_only == (set == MAILBOX_SEND_ONLY));
		facts_unref(&facts);
	}
	address_unref(&address);
}

static void test_domain_rows(void **state)
{
	struct address *address =
		address_new(ADDRESS_DOMAIN, "xn--bcher-kva.example", 21, "+");
	struct facts *facts = facts_new(MUM_DOMAIN);

	(void)state;
	add(facts, address, 0,
	    (const char *[COLUMNS_MAX + 1]){ "1", "B\xc3\x9c" "cher.example", "1" });
	add(facts, address, 0, (const char *[COLUMNS_MAX + 1]){ "1", "bucher.example", "1" });
	pack(&facts);
	WANT_NUMBER("only the name asked for", facts->count, 1);
	WANT_TEXT("as it is stored", facts->domains[0].name, "B\xc3\x9c" "cher.example");
	WANT("active", facts->domains[0].active);
	facts_unref(&facts);
	address_unref(&address);
}


static void test_order_when_complete(void **state)
{
	static const char *const ids[] = { "10", "9", "2", "18446744073709551615", "1" };
	struct address *address = mail(KEY);
	struct facts *deliveries = facts_new(MUM_DELIVERY), *owners = facts_new(MUM_OWNERS);

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(ids); i++) {
		bool full = i >= ARRAY_LEN(ids);	/* joe before joe+tag */
		const char *local = full ? "joe+tag" : "joe", *id = ids[i % ARRAY_LEN(ids)];
		const char *cells[COLUMNS_MAX + 1] = DELIVERY_CELLS;

		cells[DELIVERY_ALIAS_LOCAL] = local;
		cells[RECIPIENT_ID] = id;
		add(deliveries, address, full ? 0 : 1, cells);
		add(owners, address, full ? 0 : 1,
		    (const char *[COLUMNS_MAX + 1]){ "1", local, "example.com", "1", id, "1",
						     "0", "x", "y", "1", "1" });
	}
	facts_complete(deliveries);
	facts_complete(owners);
	pack(&deliveries);
	pack(&owners);
	assert_int_equal(deliveries->count, 10);
	assert_int_equal(owners->count, 10);
	for (size_t i = 0; i < 10; i++) {
		static const uint64_t want[] = { 1, 2, 9, 10, UINT64_MAX };

		WANT_NUMBER("by form", deliveries->deliveries[i].form, i / 5);
		WANT_NUMBER("then by id", deliveries->deliveries[i].recipient_id, want[i % 5]);
		WANT_NUMBER("owners by form", owners->owners[i].form, i / 5);
		WANT_NUMBER("then by id", owners->owners[i].id, want[i % 5]);
	}
	facts_unref(&deliveries);
	facts_unref(&owners);
	address_unref(&address);
}

static void test_owner_rows(void **state)
{
	struct address *address = mail("joe@example.com");
	struct facts *facts = facts_new(MUM_OWNERS);

	(void)state;
	add(facts, address, 0,
	    (const char *[COLUMNS_MAX + 1]){ "1", "joe", "example.com", "0", "12", "0", "1",
					     "anna", "example.org", "0", "1" });
	add(facts, address, 0,
	    (const char *[COLUMNS_MAX + 1]){ "1", "joe", "example.com", "1", "0", "1", "0",
					     "Joe", "example.com", "1", "0" });
	WANT("an owner without a name makes the answer worthless",
	     !add(facts, address, 0,
		  (const char *[COLUMNS_MAX + 1]){ "1", "joe", "example.com", "1", "0", "1",
						   "0", NULL, "example.org", "1", "1" }));
	WANT("so does one without an id",
	     !add(facts, address, 0,
		  (const char *[COLUMNS_MAX + 1]){ "1", "joe", "example.com", "1", NULL, "1",
						   "0", "x", "example.org", "1", "1" }));
	facts_complete(facts);
	pack(&facts);
	assert_int_equal(facts->count, 2);
	WANT_TEXT("itself first", facts->owners[0].login, "Joe@example.com");
	WANT_NUMBER("not through an alias", facts->owners[0].id, 0);
	WANT("its flags", facts->owners[0].domain_active && facts->owners[0].alias_active &&
	     !facts->owners[0].alias_expired && facts->owners[0].mailbox_active &&
	     !facts->owners[0].mailbox_domain_active);
	WANT_TEXT("then the alias senders", facts->owners[1].login, "anna@example.org");
	WANT_NUMBER("through an alias", facts->owners[1].id, 12);
	WANT("their flags", !facts->owners[1].domain_active &&
	     !facts->owners[1].alias_active && facts->owners[1].alias_expired &&
	     !facts->owners[1].mailbox_active && facts->owners[1].mailbox_domain_active);
	facts_unref(&facts);
	address_unref(&address);
}

static void test_tls_rows(void **state)
{
	struct address *address = address_new(ADDRESS_TLS, "[mx.example.com]:25", 19, "+");
	struct facts *facts = facts_new(MUM_TLS);
	const char *cells[COLUMNS_MAX + 1] = { "1", "[MX.example.com]:25", "secure",
					       "match=x", "1" };

	(void)state;
	add(facts, address, 0, cells);
	cells[TLS_PARAMS] = NULL;
	cells[TLS_ACTIVE] = "0";
	add(facts, address, 0, cells);
	cells[TLS_POLICY] = NULL;
	WANT("no policy makes the answer worthless", !add(facts, address, 0, cells));
	pack(&facts);
	assert_int_equal(facts->count, 2);
	WANT_TEXT("policy", facts->tls[0].policy, "secure");
	WANT_TEXT("params", facts->tls[0].params, "match=x");
	WANT("active", facts->tls[0].active);
	WANT_TEXT("no params", facts->tls[1].params, NULL);
	WANT("inactive", !facts->tls[1].active);
	facts_unref(&facts);
	address_unref(&address);
}

/* Cut at a NUL, each of these would be a value that nobody stored. */
static void test_a_nul_in_a_value(void **state)
{
	static const struct {
		const char *name;
		enum question_kind kind;
		size_t column;
		const char *cells[COLUMNS_MAX + 1];
	} rows[] = {
		{ "recipient", MUM_DELIVERY, RECIPIENT_ADDRESS, DELIVERY_CELLS },
		{ "owner, local part", MUM_OWNERS, OWNER_LOCAL,
		  { "1", "joe", "example.com", "1", "0", "1", "0", "x", "y", "1", "1" } },
		{ "owner, domain", MUM_OWNERS, OWNER_DOMAIN,
		  { "1", "joe", "example.com", "1", "0", "1", "0", "x", "y", "1", "1" } },
		{ "TLS policy", MUM_TLS, TLS_POLICY,
		  { "1", "joe@example.com", "secure", "x", "1" } },
		{ "TLS params", MUM_TLS, TLS_PARAMS,
		  { "1", "joe@example.com", "secure", "x", "1" } },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct address *address =
			address_new(row->kind == MUM_TLS ? ADDRESS_TLS : ADDRESS_MAIL,
				    "joe@example.com", 15, "+");
		struct facts *facts = facts_new(row->kind);
		struct column columns[COLUMNS_MAX + 1];
		const char *why = NULL;

		unit_columns(columns, row->cells, COLUMNS_MAX + 1);
		columns[row->column] = (struct column){ "a\0b", 3 };
		WANT(row->name, !facts_add_row(facts, address, 0, columns, &why));
		facts_unref(&facts);
		address_unref(&address);
	}
}

/* The page goes on after it; a NULL address is nobody whom anything lists. */
static void test_a_nul_in_a_listed_address(void **state)
{
	static const char *const cells[COLUMNS_MAX + 1] = { "1", "x", "y", "1", "1", "0", "5" };

	(void)state;
	for (size_t dirty = MAILBOX_LOCAL; dirty <= MAILBOX_DOMAIN; dirty++) {
		struct facts *facts = facts_new(MUM_USERS);
		struct column columns[COLUMNS_MAX + 1];
		const char *why = NULL;

		unit_columns(columns, cells, COLUMNS_MAX + 1);
		columns[dirty] = (struct column){ "a\0b", 3 };
		WANT("read", facts_add_row(facts, NULL, 0, columns, &why));
		assert_int_equal(facts->count, 1);
		WANT("without an address", facts->listed[0].mailbox.address == NULL);
		WANT_NUMBER("with its id", facts->listed[0].id, 5);
		facts_unref(&facts);
	}
}

static void test_credential_rows(void **state)
{
	struct address *address = address_new(ADDRESS_LOGIN, "joe@example.com", 15, "");
	struct facts *facts = facts_new(MUM_CREDENTIAL);
	const char *cells[COLUMNS_MAX + 1] = { "1", "Joe", "example.com", "1", "1", "1",
					       "$2y$10$abc" };
	struct column columns[COLUMNS_MAX + 1];
	const char *why = NULL;

	(void)state;
	add(facts, address, 0, cells);
	unit_columns(columns, cells, COLUMNS_MAX + 1);
	columns[CREDENTIAL_PASSWORD] = (struct column){ "$2y$\0x", 6 };
	facts_add_row(facts, address, 0, columns, &why);
	assert_int_equal(facts->count, 2);
	WANT_TEXT("stored address", facts->credentials[0].mailbox.address, "Joe@example.com");
	WANT_TEXT("hash", facts->credentials[0].password, "$2y$10$abc");
	WANT("flags", facts->credentials[0].mailbox.domain_active &&
	     facts->credentials[0].mailbox.active &&
	     facts->credentials[0].mailbox.send_only);
	WANT("a hash with a NUL is none", facts->credentials[1].password == NULL);
	facts_unref(&facts);
	address_unref(&address);
}

static void test_user_rows(void **state)
{
	struct address *address = address_new(ADDRESS_LOGIN, "joe@example.com", 15, "");
	struct facts *facts = facts_new(MUM_USER);
	const char *cells[COLUMNS_MAX + 1] = { "1", "joe", "example.com", "1", "1", "0",
					       "/home/x", "mail:~/x", "5", NULL };

	(void)state;
	add(facts, address, 0, cells);
	cells[USER_HOMEDIR] = "/home\n/x";
	cells[USER_MAILDIR] = "a\x7f";
	cells[USER_QUOTA] = NULL;
	cells[USER_DOMAIN_QUOTA] = "3\n";
	add(facts, address, 0, cells);
	pack(&facts);
	assert_int_equal(facts->count, 2);
	WANT_TEXT("homedir", facts->users[0].homedir, "/home/x");
	WANT_TEXT("maildir", facts->users[0].maildir, "mail:~/x");
	WANT_TEXT("quota", facts->users[0].quota, "5");
	WANT_TEXT("the domain has none", facts->users[0].domain_quota, NULL);
	WANT_TEXT("no quota of its own", facts->users[1].quota, NULL);
	WANT_TEXT("a dirty one is no number, and not none", facts->users[1].domain_quota, "");
	WANT("a dirty homedir is none", facts->users[1].homedir == NULL);
	WANT("a dirty maildir is none", facts->users[1].maildir == NULL);
	facts_unref(&facts);
	address_unref(&address);
}

static void test_listed_rows(void **state)
{
	static const struct {
		const char *name, *id;
		bool ok;
		uint64_t want;
	} rows[] = {
		{ "a number", "17", true, 17 },
		{ "the largest", "18446744073709551615", true, UINT64_MAX },
		{ "one too large", "18446744073709551616", false, 0 },
		{ "NULL", NULL, false, 0 },
		{ "empty", "", false, 0 },
		{ "a tail", "17x", false, 0 },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct facts *facts = facts_new(MUM_USERS);
		const char *cells[COLUMNS_MAX + 1] = { "1", "joe", "example.com", "1", "1",
						       "0", row->id };

		WANT(row->name, add(facts, NULL, 0, cells) == row->ok);
		if (row->ok && facts->count == 1) {
			WANT_NUMBER(row->name, facts->listed[0].id, row->want);
			WANT_TEXT(row->name, facts->listed[0].mailbox.address, "joe@example.com");
		}
		facts_unref(&facts);
	}
}

/* ---- the whole ---- */

static void test_many_rows_keep_their_order(void **state)
{
	struct facts *facts = facts_new(MUM_USERS);
	char id[8];

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		const char *cells[COLUMNS_MAX + 1] = { "1", "joe", "example.com", "1", "1",
						       "0", id };

		snprintf(id, sizeof(id), "%u", i);
		add(facts, NULL, 0, cells);
	}
	WANT_NUMBER("all", facts->count, 1000);
	for (unsigned i = 0; i < facts->count; i++)
		WANT_NUMBER("in the order they came", facts->listed[i].id, i);
	facts_unref(&facts);
}

static void test_references(void **state)
{
	struct facts *facts = facts_new(MUM_TLS), *other = facts_ref(facts), *none = NULL;

	(void)state;
	WANT_NUMBER("empty", facts->count, 0);
	facts_unref(&facts);
	WANT("set to NULL", facts == NULL);
	WANT("the other reference holds", other->kind == MUM_TLS && other->refs == 1);
	facts_unref(&other);
	facts_unref(&none);
}

static void test_questions(void **state)
{
	static const struct {
		const char *name;
		enum address_kind key;
		bool cached, for_mail;
	} rows[MUM_QUESTIONS] = {
		[MUM_DOMAIN] = { "domain", ADDRESS_DOMAIN, true, true },
		[MUM_DELIVERY] = { "delivery", ADDRESS_MAIL, true, true },
		[MUM_NAME] = { "name", ADDRESS_MAIL, true, true },
		[MUM_OWNERS] = { "owners", ADDRESS_MAIL, true, true },
		[MUM_TLS] = { "tls", ADDRESS_TLS, true, true },
		[MUM_CREDENTIAL] = { "credential", ADDRESS_LOGIN, false, false },
		[MUM_USER] = { "user", ADDRESS_LOGIN, true, false },
		[MUM_USERS] = { "users", ADDRESS_LOGIN, false, false },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		enum question_kind kind = (enum question_kind)(row - rows);

		WANT_TEXT(row->name, mum_question_name(kind), row->name);
		WANT_NUMBER(row->name, mum_question_key(kind), row->key);
		WANT(row->name, mum_question_is_cached(kind) == row->cached);
		WANT(row->name, mum_question_is_for_mail(kind) == row->for_mail);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_the_name_asked_for),
		UNIT_TEST(test_a_nul_in_the_name_is_another_name),
		UNIT_TEST(test_a_row_for_a_form_that_was_not_asked),
		UNIT_TEST(test_booleans),
		UNIT_TEST(test_each_boolean_has_its_column),
		UNIT_TEST(test_domain_rows),
		UNIT_TEST(test_order_when_complete),
		UNIT_TEST(test_owner_rows),
		UNIT_TEST(test_tls_rows),
		UNIT_TEST(test_a_nul_in_a_value),
		UNIT_TEST(test_a_nul_in_a_listed_address),
		UNIT_TEST(test_credential_rows),
		UNIT_TEST(test_user_rows),
		UNIT_TEST(test_listed_rows),
		UNIT_TEST(test_many_rows_keep_their_order),
		UNIT_TEST(test_references),
		UNIT_TEST(test_questions),
	};

	return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
