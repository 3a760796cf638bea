/* SPDX-License-Identifier: MIT */
/* Roles and catch-alls: what they take, what they hand on, and who may send as them. */
#include "tests/unit/unit.h"

#include "common/address-fallback.h"
#include "common/rules.h"

/* The forms of "joe+x@d" and "postmaster@d" with a role and a catch-all. */
enum { FULL, SHORT, CAUGHT };		/* of joe+x@d */
enum { NAME, ROLE, CAUGHT_ROLE };	/* of postmaster@d */

static struct address *read_address(const char *text)
{
	static const char *const roles[] = { "postmaster" };
	static const struct fallback_settings settings = { true, 1, roles, "admin@d" };
	struct address *address = address_new(ADDRESS_MAIL, text, strlen(text), "+");

	address_add_fallbacks(address, &settings);
	return address;
}

/* ---- behind a recipient ---- */

#define JOE "joe+x@d"
#define MASTER "postmaster@d"

#define OURS(form_) .form = (form_), .domain_active = true
#define ALIAS .alias = true, .alias_active = true, .alias_has_recipients = true
#define MAILBOX .mailbox = true, .mailbox_active = true

static const struct {
	const char *name, *key;
	enum address_form_kind of;	/* what it is a recipient of */
	struct name_row rows[3];
	size_t count;
	/* As in struct behind. */
	bool ours, known, alias, mailbox, send_only, fallback;
} behinds[] = {
	{ "no row: foreign", JOE, FORM_IS_NAME, { { 0 } }, 0, .ours = false },
	{ "nobody", JOE, FORM_IS_NAME, { { OURS(FULL) } }, 1, .ours = true },
	{ "in an inactive domain", JOE, FORM_IS_NAME, { { ALIAS, MAILBOX } }, 1, .ours = false },
	{ "a mailbox", JOE, FORM_IS_NAME, { { OURS(SHORT), MAILBOX } }, 1, .ours = true,
	  .known = true, .mailbox = true },
	{ "a mailbox that only sends", JOE, FORM_IS_NAME,
	  { { OURS(FULL), MAILBOX, .mailbox_send_only = true } }, 1, .ours = true,
	  .known = true, .mailbox = true, .send_only = true },
	{ "the first form's mailbox counts", JOE, FORM_IS_NAME,
	  { { OURS(FULL), MAILBOX }, { OURS(SHORT), MAILBOX, .mailbox_send_only = true } }, 2,
	  .ours = true, .known = true, .mailbox = true },
	{ "also if it only sends", JOE, FORM_IS_NAME,
	  { { OURS(FULL), MAILBOX, .mailbox_send_only = true }, { OURS(SHORT), MAILBOX } }, 2,
	  .ours = true, .known = true, .mailbox = true, .send_only = true },
	{ "an inactive mailbox", JOE, FORM_IS_NAME, { { OURS(FULL), .mailbox = true } }, 1,
	  .ours = true, .known = true },
	{ "an alias", JOE, FORM_IS_NAME, { { OURS(FULL), ALIAS } }, 1, .ours = true,
	  .known = true, .alias = true },
	{ "an expired alias", JOE, FORM_IS_NAME,
	  { { OURS(FULL), ALIAS, .alias_expired = true } }, 1, .ours = true, .known = true },
	{ "the catch-all takes it", JOE, FORM_IS_NAME, { { OURS(CAUGHT), ALIAS } }, 1,
	  .ours = true, .fallback = true },
	{ "not without recipients", JOE, FORM_IS_NAME,
	  { { OURS(CAUGHT), .alias = true, .alias_active = true } }, 1, .ours = true },
	{ "not what another takes", JOE, FORM_IS_NAME,
	  { { OURS(FULL), ALIAS }, { OURS(CAUGHT), ALIAS } }, 2, .ours = true, .known = true,
	  .alias = true },
	{ "not what is known, and inactive", JOE, FORM_IS_NAME,
	  { { OURS(FULL), .mailbox = true }, { OURS(CAUGHT), ALIAS } }, 2, .ours = true,
	  .known = true },
	{ "nor an inactive alias", JOE, FORM_IS_NAME,
	  { { OURS(FULL), .alias = true }, { OURS(CAUGHT), ALIAS } }, 2, .ours = true,
	  .known = true },
	{ "not from another catch-all", JOE, FORM_IS_CATCH_ALL, { { OURS(CAUGHT), ALIAS } }, 1,
	  .ours = true },
	{ "nor from a role", JOE, FORM_IS_ROLE, { { OURS(CAUGHT), ALIAS } }, 1, .ours = true },
	{ "a role takes it", MASTER, FORM_IS_NAME, { { OURS(NAME) } }, 1, .ours = true,
	  .fallback = true },
	{ "also what is known, and inactive", MASTER, FORM_IS_NAME,
	  { { OURS(NAME), .mailbox = true } }, 1, .ours = true, .known = true,
	  .fallback = true },
	{ "also from a catch-all", MASTER, FORM_IS_CATCH_ALL, { { OURS(NAME) } }, 1,
	  .ours = true, .fallback = true },
	{ "not from a role", MASTER, FORM_IS_ROLE, { { OURS(NAME) } }, 1, .ours = true },
	{ "not in an inactive domain", MASTER, FORM_IS_NAME, { { .form = NAME } }, 1,
	  .ours = false },
	{ "not what another takes", MASTER, FORM_IS_NAME, { { OURS(NAME), MAILBOX } }, 1,
	  .ours = true, .known = true, .mailbox = true },
	{ "an active domain in another spelling", MASTER, FORM_IS_NAME,
	  { { .form = NAME }, { OURS(NAME) } }, 2, .ours = true, .fallback = true },
};

static void test_behind(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, behinds) {
		struct address *address = read_address(row->key);
		struct facts facts = { .count = row->count,
				       .names = (struct name_row *)row->rows };
		struct mum_answer answer = { .status = MUM_FOUND, .address = address,
					     .facts[MUM_NAME] = &facts };
		struct behind got = { .elsewhere = true };

		rule_behind(&answer, row->of, &got);
		WANT(row->name, got.ours == row->ours && got.known == row->known);
		WANT(row->name, got.alias == row->alias && got.mailbox == row->mailbox);
		WANT(row->name, got.send_only == row->send_only);
		WANT(row->name, got.fallback == row->fallback);
		WANT("the rest is left", got.elsewhere && !got.alias_itself);
		address_unref(&address);
	}
}

static void test_behind_nothing_that_was_asked(void **state)
{
	struct mum_answer answer = { .status = MUM_FOUND };
	struct behind got = { .ours = false };

	(void)state;
	rule_behind(&answer, FORM_IS_NAME, &got);
	WANT("nothing is known", !got.ours && !got.known && !got.fallback);
}

/* ---- as recipients ---- */

#define LIVE .stands_for = "x@y", .recipient = "x@y"
#define DELIVERY(form_) \
	.form = (form_), .domain_active = true, .alias = "an alias", .alias_active = true

static const struct {
	const char *name, *key;
	struct delivery_row rows[3];
	enum recipient_verdict want;
	int alias, mailbox;		/* which row decided; -1: none */
} recipients[] = {
	{ "nobody", JOE, { { 0 } }, RECIPIENT_UNKNOWN, -1, -1 },
	{ "a live catch-all", JOE, { { DELIVERY(CAUGHT), LIVE } }, RECIPIENT_ACCEPTED, 0, -1 },
	{ "a dead one does not exist", JOE,
	  { { DELIVERY(CAUGHT), .recipient = "", .stands_for = "" } }, RECIPIENT_UNKNOWN, -1,
	  -1 },
	{ "nor one without recipients", JOE, { { DELIVERY(CAUGHT) } }, RECIPIENT_UNKNOWN, -1,
	  -1 },
	{ "an alias without recipients does", JOE, { { DELIVERY(SHORT) } }, RECIPIENT_ACCEPTED,
	  0, -1 },
	{ "a dead alias does", JOE,
	  { { DELIVERY(SHORT), .recipient = "", .stands_for = "" } }, RECIPIENT_DEAD_ALIAS, 0,
	  -1 },
	{ "the alias is named that takes mail", JOE,
	  { { DELIVERY(FULL), .recipient = "", .stands_for = "" }, { DELIVERY(SHORT), LIVE } },
	  RECIPIENT_ACCEPTED, 1, -1 },
	{ "the alias is named that exists", JOE,
	  { { .form = FULL, .domain_active = true, .alias = "inactive" },
	    { DELIVERY(SHORT), .recipient = "", .stands_for = "" } }, RECIPIENT_DEAD_ALIAS, 1,
	  -1 },
	{ "the first of two that exist", JOE,
	  { { DELIVERY(FULL), .recipient = "", .stands_for = "" }, { DELIVERY(SHORT) } },
	  RECIPIENT_DEAD_ALIAS, 0, -1 },
	{ "a live alias, not the mailbox", JOE,
	  { { DELIVERY(FULL), LIVE, .mailbox = "m", .mailbox_active = true } },
	  RECIPIENT_ACCEPTED, 0, -1 },
	{ "a mailbox, not the dead alias", JOE,
	  { { DELIVERY(FULL), .mailbox = "m", .mailbox_active = true } }, RECIPIENT_ACCEPTED,
	  -1, 0 },
};

static void test_which_row_decides(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, recipients) {
		struct address *address = read_address(row->key);
		struct facts facts = { .deliveries = (struct delivery_row *)row->rows };
		struct mum_answer answer = { .status = MUM_FOUND, .address = address,
					     .facts[MUM_DELIVERY] = &facts };
		struct recipient_ruling got;

		while (row->rows[facts.count].alias != NULL)
			facts.count++;
		WANT_NUMBER(row->name, rule_recipient(&answer, &got), MUM_FOUND);
		WANT_NUMBER(row->name, got.verdict, row->want);
		WANT(row->name, got.alias == (row->alias < 0 ? NULL : &row->rows[row->alias]));
		WANT(row->name,
		     got.mailbox == (row->mailbox < 0 ? NULL : &row->rows[row->mailbox]));
		address_unref(&address);
	}
}

/* ---- the state of a mailbox ---- */

#define BOX(form_, ...) { .form = (form_), .mailbox = "m", __VA_ARGS__ }

static const struct {
	const char *name;
	struct delivery_row rows[3];
	size_t count;
	enum mailbox_state want;
	int row;			/* -1: none */
} mailboxes[] = {
	{ "no row", { { 0 } }, 0, MAILBOX_IS_UNKNOWN, -1 },
	{ "no mailbox", { { .form = FULL, .domain_active = true } }, 1, MAILBOX_IS_UNKNOWN, -1 },
	{ "live", { BOX(FULL, .domain_active = true, .mailbox_active = true) }, 1,
	  MAILBOX_IS_LIVE, 0 },
	{ "inactive", { BOX(FULL, .domain_active = true) }, 1, MAILBOX_IS_INACTIVE, 0 },
	{ "the first of two that are not active", { BOX(FULL, .domain_active = true),
						    BOX(SHORT, .mailbox_active = true) }, 2,
	  MAILBOX_IS_INACTIVE, 0 },
	{ "behind a row without a mailbox",
	  { { .form = FULL, .domain_active = true }, BOX(SHORT, .mailbox_active = true) }, 2,
	  MAILBOX_IS_IN_INACTIVE_DOMAIN, 1 },
	{ "an active one wins", { BOX(FULL, .domain_active = true),
				  BOX(SHORT, .domain_active = true, .mailbox_active = true) }, 2,
	  MAILBOX_IS_LIVE, 1 },
	{ "also if it only sends",
	  { BOX(FULL, .domain_active = true),
	    BOX(SHORT, .domain_active = true, .mailbox_active = true,
		.mailbox_send_only = true) }, 2, MAILBOX_IS_SEND_ONLY, 1 },
	{ "the first of two that are active",
	  { BOX(FULL, .domain_active = true, .mailbox_active = true,
		.mailbox_send_only = true),
	    BOX(SHORT, .domain_active = true, .mailbox_active = true) }, 2,
	  MAILBOX_IS_SEND_ONLY, 0 },
};

static void test_mailbox_state(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, mailboxes) {
		struct facts facts = { .count = row->count,
				       .deliveries = (struct delivery_row *)row->rows };
		struct mum_answer answer = { .status = MUM_FOUND,
					     .facts[MUM_DELIVERY] = &facts };
		const struct delivery_row *got = &row->rows[2];

		WANT_NUMBER(row->name, rule_mailbox_state(&answer, &got), row->want);
		WANT(row->name, got == (row->row < 0 ? NULL : &row->rows[row->row]));
	}
}

/* ---- as senders ---- */

#define OWNER(form_, id_) \
	{ .form = (form_), .id = (id_), .login = "anna@d", .domain_active = true, \
	  .alias_active = true, .mailbox_active = true, .mailbox_domain_active = true }

static void test_owners(void **state)
{
	static const struct {
		const char *name;
		struct owner_row row;
		struct name_row names;
		bool settings;		/* address.catch_all_senders */
		bool want;
	} rows[] = {
		{ "of the catch-all own what nobody has", OWNER(CAUGHT, 7), { OURS(CAUGHT) },
		  true, true },
		{ "not unless the admin says so", OWNER(CAUGHT, 7), { OURS(CAUGHT) }, false,
		  false },
		{ "not what MUM knows", OWNER(CAUGHT, 7), { OURS(SHORT), .alias = true }, true,
		  false },
		{ "not without being a sender", OWNER(CAUGHT, 0), { OURS(CAUGHT) }, true, false },
		{ "the catch-all itself is no name", OWNER(CAUGHT, 7), { OURS(CAUGHT), ALIAS },
		  true, true },
		{ "of the name need none of this", OWNER(SHORT, 7), { OURS(SHORT), ALIAS },
		  false, true },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct address *address = read_address(JOE);
		struct facts names = { .count = 1,
				       .names = (struct name_row *)&row->names };
		struct facts owners = { .count = 1,
					.owners = (struct owner_row *)&row->row };
		struct mum_answer answer = { .status = MUM_FOUND, .address = address,
					     .catch_all_senders = row->settings,
					     .facts = { [MUM_NAME] = &names,
							[MUM_OWNERS] = &owners } };
		struct arena arena = { NULL };
		struct owners got = { .form = 99 };

		WANT_NUMBER(row->name, rule_owners(&answer, &arena, &got),
			    row->want ? MUM_FOUND : MUM_NOT_FOUND);
		WANT_NUMBER(row->name, got.form, row->want ? row->row.form : 99);
		arena_free(&arena);
		address_unref(&address);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_behind),
		UNIT_TEST(test_behind_nothing_that_was_asked),
		UNIT_TEST(test_which_row_decides),
		UNIT_TEST(test_mailbox_state),
		UNIT_TEST(test_owners),
	};

	return cmocka_run_group_tests_name("rules about roles and catch-alls", tests, NULL,
					   NULL);
}
