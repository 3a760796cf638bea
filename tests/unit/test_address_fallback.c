/* SPDX-License-Identifier: MIT */
/* Roles and catch-alls: the forms that an address gets, and what comes of them. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "common/address-fallback.h"
#include "common/buf.h"
#include "common/columns.h"
#include "common/rules.h"
#include "common/xalloc.h"
#include "tests/unit/lookup-bench.h"

static const char *const roles[] = { "Postmaster", "abuse", "double-bounce", "desk", "desk+x" };

static struct fallback_settings settings_of(bool catch_all, bool has_roles)
{
	return (struct fallback_settings){ catch_all, has_roles ? ARRAY_LEN(roles) : 0, roles,
					   "box@d" };
}

/* ---- forms ---- */

/* "desk+x desk =desk @" */
static char *spell_forms(const struct address *address)
{
	static const char *const marks[] = {
		[FORM_IS_NAME] = "", [FORM_IS_ROLE] = "=", [FORM_IS_CATCH_ALL] = "@",
	};
	struct buf text = BUF_INIT(1000);

	for (size_t i = 0; i < address->forms_count; i++)
		buf_printf(&text, "%s%s%s", i > 0 ? " " : "", marks[address->forms[i].kind],
			   address->forms[i].local);
	return buf_steal(&text);
}

static const struct {
	const char *text;
	bool catch_all, roles;
	const char *want;
} forms[] = {
	{ "joe@d", false, false, "joe" },
	{ "joe@d", true, false, "joe @" },
	{ "Joe+X@d", true, true, "joe+x joe @" },
	{ "\"a b\"@d", true, false, "\"a b\" a b @" },
	{ "\"a b+c\"@d", true, true, "\"a b+c\" a b+c \"a b\" a b @" },
	{ "postmaster@d", false, true, "postmaster =postmaster" },
	{ "POSTMASTER@d", true, true, "postmaster =postmaster @" },
	{ "abuse+x@d", true, true, "abuse+x abuse =abuse @" },
	{ "abuse+x@d", true, false, "abuse+x abuse @" },
	{ "desk+x@d", false, true, "desk+x desk =desk+x" },	/* the full form first */
	{ "desk+y@d", false, true, "desk+y desk =desk" },
	{ "postmaster+x@d", false, false, "postmaster+x postmaster" },
	{ "double-bounce@d", true, true, "double-bounce" },
	{ "Mailer-Daemon@d", true, true, "mailer-daemon" },
	{ "mailer-daemon+x@d", true, true, "mailer-daemon+x mailer-daemon" },
};

static void test_forms(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, forms) {
		const struct fallback_settings settings = settings_of(row->catch_all, row->roles);
		struct address *address =
			address_new(ADDRESS_MAIL, row->text, strlen(row->text), "+");
		char *key = xstrdup(address->key), *got;

		address_add_fallbacks(address, &settings);
		got = spell_forms(address);
		WANT_TEXT(row->text, got, row->want);
		WANT_TEXT("the key stays", address->key, key);
		free(got);
		free(key);
		address_unref(&address);
	}
}

static void test_a_catch_all_alone(void **state)
{
	struct address *address = address_new_catch_all("D");
	char *text = address_form_text(address, 0);

	(void)state;
	WANT_TEXT("its name", text, "@d");
	WANT("its kind", address->forms[0].kind == FORM_IS_CATCH_ALL);
	WANT("no domain, no catch-all", address_new_catch_all("") == NULL);
	free(text);
	address_unref(&address);
}

/* ---- a small database ---- */

/* In "d", and the same in "off", which is inactive. The flags are those of the statements. */
static const struct {
	const char *local;
	const char *mailbox_active, *send_only;		/* NULL: no mailbox */
	const char *alias_active, *expired;		/* NULL: no alias */
	const char *recipient;				/* typed; NULL: none */
	const char *sender;				/* local part of a mailbox; or NULL */
} tables[] = {
	{ "box", "1", "0", NULL, NULL, NULL, NULL },
	{ "gone", "0", "0", NULL, NULL, NULL, NULL },
	{ "only", "1", "1", NULL, NULL, NULL, NULL },
	{ "abuse", "0", "0", NULL, NULL, NULL, NULL },
	{ "list", NULL, NULL, "1", "0", "nobody@d", NULL },
	{ "toabuse", NULL, NULL, "1", "0", "abuse@d", NULL },
	{ "tobox", NULL, NULL, "1", "0", "box@d", "box" },
	{ "past", NULL, NULL, "1", "1", "box@d", "box" },
	{ "", "1", "0", "1", "0", "box@d", "box" },
};

static void add(struct facts *facts, const struct question *question, size_t form,
		const char *const *cells)
{
	struct column columns[COLUMNS_MAX + 1];
	const char *why = NULL;

	unit_columns(columns, cells, COLUMNS_MAX + 1);
	WANT("the row is read", facts_add_row(facts, question->address, form, columns, &why));
}

static void add_owners(struct facts *facts, const struct question *question, size_t form,
		       const char *domain, const char *active, size_t at)
{
	const char *local = tables[at].local;

	if (tables[at].mailbox_active != NULL)
		add(facts, question, form,
		    (const char *[COLUMNS_MAX + 1]){ "1", local, domain, active, "0", "0", "0",
						     local, domain, tables[at].mailbox_active,
						     active });
	if (tables[at].sender != NULL)
		add(facts, question, form,
		    (const char *[COLUMNS_MAX + 1]){ "1", local, domain, active, "7",
						     tables[at].alias_active, tables[at].expired,
						     tables[at].sender, domain, "1", active });
}

/* A row of MUM_DELIVERY or MUM_NAME. at: in tables; behind its end for an unknown name. */
static void add_row(struct facts *facts, const struct question *question, size_t form,
		    const char *domain, const char *active, size_t at)
{
	const char *cells[COLUMNS_MAX + 1] = { "1", domain, active };

	if (at < sizeof(tables) / sizeof(tables[0])) {
		if (tables[at].mailbox_active != NULL) {
			cells[DELIVERY_MAILBOX_LOCAL] = tables[at].local;
			cells[DELIVERY_MAILBOX_ACTIVE] = tables[at].mailbox_active;
			cells[DELIVERY_MAILBOX_SEND_ONLY] = tables[at].send_only;
		}
		if (tables[at].alias_active != NULL) {
			cells[DELIVERY_ALIAS_LOCAL] = tables[at].local;
			cells[DELIVERY_ALIAS_ACTIVE] = tables[at].alias_active;
			cells[DELIVERY_ALIAS_EXPIRED] = tables[at].expired;
		}
		if (question->kind == MUM_NAME)
			cells[NAME_HAS_RECIPIENTS] = tables[at].recipient != NULL ? "1" : "0";
		else if (tables[at].recipient != NULL) {
			cells[RECIPIENT_ID] = "5";
			cells[RECIPIENT_ADDRESS] = tables[at].recipient;
		}
	}
	add(facts, question, form, cells);
}

/* Adds the rows that a database would find for a form. */
static void add_form(struct facts *facts, const struct question *question, size_t form)
{
	const struct address *address = question->address;
	const char *domain = address->domain;
	const char *active = strcmp(domain, "d") == 0 ? "1" : "0";
	size_t count = sizeof(tables) / sizeof(tables[0]), at = 0;

	while (at < count && strcmp(tables[at].local, address->forms[form].local) != 0)
		at++;
	if (question->kind == MUM_OWNERS && at < count)
		add_owners(facts, question, form, domain, active, at);
	else if (question->kind == MUM_NAME || (question->kind == MUM_DELIVERY && at < count))
		add_row(facts, question, form, domain, active, at);
}

struct world {
	size_t asked[MUM_QUESTIONS];
};

static struct facts *respond(const struct question *question, void *arg)
{
	struct world *world = arg;
	const struct address *address = question->address;
	bool ours = strcmp(address->domain, "d") == 0 || strcmp(address->domain, "off") == 0;
	struct facts *facts = facts_new(question->kind);

	world->asked[question->kind]++;
	if (question->kind == MUM_DOMAIN && ours)
		add(facts, question, 0,
		    (const char *[COLUMNS_MAX + 1]){ "1", address->domain,
						     *address->domain == 'd' ? "1" : "0" });
	for (size_t form = 0; ours && form < address->forms_count; form++)
		add_form(facts, question, form);
	facts_complete(facts);
	return facts;
}

static void start(struct bench *bench, struct world *world,
		  const struct fallback_settings *fallbacks, bool senders)
{
	const struct lookups_settings settings = {
		.recipient_delimiter = "+",
		.ttl_ms = 10000,
		.entries = BENCH_ENTRIES,
		.recipients = { .readings = { true, true, "origin.example", "" },
				.fallbacks = *fallbacks },
		.catch_all_senders = senders,
	};

	*world = (struct world){ .asked = { 0 } };
	bench_init_settings(bench, &settings);
	fake_store_respond(&bench->store, respond, world);
}

/* ---- where mail goes ---- */

static char *last;

/* "UNKNOWN", or the verdict and the recipients. */
static void keep_delivery(struct got *got)
{
	static const char *const verdicts[] = {
		[RECIPIENT_UNKNOWN] = "unknown", [RECIPIENT_ACCEPTED] = "accepted",
		[RECIPIENT_SEND_ONLY] = "send-only", [RECIPIENT_DEAD_ALIAS] = "dead",
	};
	struct buf text = BUF_INIT(10000);
	struct arena arena = { NULL };
	struct recipients found;
	struct recipient_ruling ruling;

	WANT("a ruling", rule_recipient(got->answer, &ruling) == MUM_FOUND);
	buf_puts(&text, verdicts[ruling.verdict]);
	if (rule_recipients(got->answer, &arena, &found) == MUM_FOUND) {
		for (size_t i = 0; i < found.count; i++)
			buf_printf(&text, " %s", found.addresses[i]);
		WANT_TEXT("no extension is attached", found.extension, "");
	}
	arena_free(&arena);
	free(last);
	last = buf_steal(&text);
}

static const struct {
	const char *key;
	bool catch_all, roles;
	const char *want;
	size_t domains, names;		/* questions */
} deliveries[] = {
	{ "nobody@d", false, false, "unknown", 0, 0 },
	{ "nobody@d", true, false, "accepted box@d", 1, 1 },
	{ "nobody+x@d", true, true, "accepted box@d", 1, 1 },
	{ "nobody@off", true, true, "unknown", 1, 1 },
	/* For known names the catch-all needs no question. */
	{ "box@d", true, true, "accepted", 0, 0 },
	{ "box+x@d", true, true, "accepted", 0, 0 },
	{ "gone@d", true, true, "unknown", 0, 0 },
	{ "gone+x@d", true, true, "unknown", 0, 0 },
	{ "past@d", true, true, "unknown", 1, 1 },
	{ "only@d", true, true, "send-only", 0, 0 },
	{ "double-bounce@d", true, true, "unknown", 0, 0 },
	/* An alias's recipient that only a fallback takes. */
	{ "list@d", false, false, "dead", 1, 1 },
	{ "list@d", true, false, "accepted nobody@d", 1, 1 },
	{ "toabuse@d", true, false, "dead", 1, 1 },
	{ "toabuse@d", false, true, "accepted abuse@d", 1, 1 },
	/* Roles: the domain of the name, that of the recipient, and its name. */
	{ "postmaster@d", false, true, "accepted box@d", 1, 1 },
	{ "postmaster@d", true, true, "accepted box@d", 1, 1 },
	{ "abuse@d", false, true, "accepted box@d", 1, 1 },
	{ "abuse@d", true, false, "unknown", 0, 0 },
	{ "abuse+x@d", true, true, "accepted box@d", 1, 1 },
	{ "postmaster@off", false, true, "unknown", 1, 0 },
	{ "postmaster@elsewhere", true, true, "unknown", 1, 0 },
};

static void test_where_mail_goes(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, deliveries) {
		const struct fallback_settings settings = settings_of(row->catch_all, row->roles);
		struct bench bench;
		struct world world;
		struct got got;

		start(&bench, &world, &settings, false);
		bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), row->key);
		got.inside = keep_delivery;
		fake_host_settle(&bench.host, 20);
		WANT_NUMBER(row->key, got.calls, 1);
		WANT_TEXT(row->key, last, row->want);
		WANT_NUMBER(row->key, world.asked[MUM_DELIVERY], 1);
		WANT_NUMBER(row->key, world.asked[MUM_DOMAIN], row->domains);
		WANT_NUMBER(row->key, world.asked[MUM_NAME], row->names);
		bench_free(&bench);
	}
	free(last);
	last = NULL;
}

/* Its role_recipient is judged without roles and without catch-alls. */
static void test_a_role_that_leads_nowhere(void **state)
{
	static const char *const recipients[] = { "abuse@d", "nobody@d", "gone@d", "only@d",
						  "postmaster@d", "postmaster+x@d" };

	(void)state;
	FOR_EACH_ROW(recipient, recipients) {
		struct fallback_settings settings = settings_of(false, true);
		struct bench bench;
		struct world world;
		struct got got;

		settings.role_recipient = *recipient;
		start(&bench, &world, &settings, false);
		bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "postmaster@d");
		got.inside = keep_delivery;
		fake_host_settle(&bench.host, 20);
		WANT_TEXT(*recipient, last, "unknown");
		bench_free(&bench);
	}
	free(last);
	last = NULL;
}

/* ---- who may send ---- */

static void keep_owners(struct got *got)
{
	struct arena arena = { NULL };
	struct owners owners;

	free(last);
	last = xstrdup(rule_owners(got->answer, &arena, &owners) == MUM_FOUND ? owners.logins[0]
									       : "nobody");
	WANT("one at most", strcmp(last, "nobody") == 0 || owners.count == 1);
	arena_free(&arena);
}

static const struct {
	const char *key;
	bool catch_all, senders;
	const char *want;
	size_t names;		/* questions */
} senders[] = {
	{ "nobody@d", false, false, "nobody", 0 },
	{ "nobody@d", true, false, "nobody", 0 },
	{ "nobody@d", true, true, "box@d", 1 },
	{ "nobody+x@d", true, true, "box@d", 1 },
	{ "nobody@off", true, true, "nobody", 1 },
	{ "box@d", true, true, "box@d", 1 },
	{ "only@d", true, true, "only@d", 1 },
	{ "gone@d", true, true, "nobody", 1 },
	{ "list@d", true, true, "nobody", 1 },
	{ "list+x@d", true, true, "nobody", 1 },
	{ "past@d", true, true, "nobody", 1 },
	{ "tobox@d", true, true, "box@d", 1 },
	{ "mailer-daemon@d", true, true, "nobody", 1 },
};

static void test_who_may_send(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, senders) {
		const struct fallback_settings settings = settings_of(row->catch_all, false);
		struct bench bench;
		struct world world;
		struct got got;

		start(&bench, &world, &settings, row->senders);
		bench_ask(&bench, &got, MUM_ASK(MUM_OWNERS), row->key);
		got.inside = keep_owners;
		fake_host_settle(&bench.host, 20);
		WANT_NUMBER(row->key, got.calls, 1);
		WANT_TEXT(row->key, last, row->want);
		WANT_NUMBER(row->key, world.asked[MUM_OWNERS], 1);
		WANT_NUMBER(row->key, world.asked[MUM_NAME], row->names);
		bench_free(&bench);
	}
	free(last);
	last = NULL;
}

/* What has the name of a role answers as that name, and not once more as the role. */
static void test_the_tables_know_no_roles(void **state)
{
	static const char *const cells[COLUMNS_MAX + 1] = { "1", "d", "1", "postmaster", "0", "0" };
	const struct fallback_settings settings = settings_of(false, true);
	struct address *address = address_new(ADDRESS_MAIL, "postmaster@d", 12, "");
	struct facts *facts = facts_new(MUM_DELIVERY);
	struct column columns[COLUMNS_MAX + 1];
	const char *why = NULL;

	(void)state;
	address_add_fallbacks(address, &settings);
	assert_int_equal(address->forms_count, 2);
	unit_columns(columns, cells, COLUMNS_MAX + 1);
	for (size_t form = 0; form < 2; form++)
		WANT("read", facts_add_row(facts, address, form, columns, &why));
	WANT_NUMBER("rows", facts->count, 1);
	facts_unref(&facts);
	address_unref(&address);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_forms),
		UNIT_TEST(test_a_catch_all_alone),
		UNIT_TEST(test_where_mail_goes),
		UNIT_TEST(test_a_role_that_leads_nowhere),
		UNIT_TEST(test_who_may_send),
		UNIT_TEST(test_the_tables_know_no_roles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
