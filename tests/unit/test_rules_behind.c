/* SPDX-License-Identifier: MIT */
/* What is behind a recipient of an alias: rule_behind(). */
#include "tests/unit/unit.h"

#include "common/address-fallback.h"
#include "common/rules.h"

static const char *const roles[] = { "desk" };
static const struct fallback_settings fallbacks = { true, ARRAY_LEN(roles), roles, "box@d" };

/* joe@d has the forms joe and the catch-all; desk@d has desk, the role and the catch-all. */
#define MAILBOX(form) { (form), .domain_active = true, .mailbox = true, .mailbox_active = true }
#define SEND_ONLY(form) \
	{ (form), .domain_active = true, .mailbox = true, .mailbox_active = true, \
	  .mailbox_send_only = true }
#define ALIAS(form) \
	{ (form), .domain_active = true, .alias = true, .alias_active = true, \
	  .alias_has_recipients = true }
#define OFF(form) { (form), .domain_active = true, .alias = true, .alias_has_recipients = true }
#define NOTHING(form) { (form), .domain_active = true }
#define FOREIGN(form) { (form), .mailbox = true, .mailbox_active = true }

static const struct {
	const char *name, *key;
	enum address_form_kind of;
	size_t count;
	struct name_row names[2];
	struct behind want;
} rows[] = {
	{ "an inactive domain", "joe@d", FORM_IS_NAME, 1, { FOREIGN(0) }, { 0 } },
	{ "nobody", "joe@d", FORM_IS_NAME, 1, { NOTHING(1) }, { .ours = true } },
	{ "a mailbox", "joe@d", FORM_IS_NAME, 1, { MAILBOX(0) },
	  { .ours = true, .known = true, .mailbox = true } },
	{ "the mailbox of the first form", "joe+x@d", FORM_IS_NAME, 2, { MAILBOX(0), SEND_ONLY(1) },
	  { .ours = true, .known = true, .mailbox = true } },
	{ "an alias, though there is a catch-all", "joe@d", FORM_IS_NAME, 2, { ALIAS(0), ALIAS(1) },
	  { .ours = true, .known = true, .alias = true } },
	{ "an inactive alias is not caught", "joe@d", FORM_IS_NAME, 2, { OFF(0), ALIAS(1) },
	  { .ours = true, .known = true } },
	{ "nor is what only sends", "joe@d", FORM_IS_NAME, 2, { SEND_ONLY(0), ALIAS(1) },
	  { .ours = true, .known = true, .mailbox = true, .send_only = true } },
	{ "an unknown name is caught", "joe@d", FORM_IS_NAME, 1, { ALIAS(1) },
	  { .ours = true, .fallback = true } },
	{ "so is one that has nothing", "joe@d", FORM_IS_NAME, 2, { NOTHING(0), ALIAS(1) },
	  { .ours = true, .fallback = true } },
	{ "not by an inactive catch-all", "joe@d", FORM_IS_NAME, 1, { OFF(1) }, { .ours = true } },
	{ "not for a catch-all", "joe@d", FORM_IS_CATCH_ALL, 1, { ALIAS(1) }, { .ours = true } },
	{ "a role", "desk@d", FORM_IS_NAME, 1, { NOTHING(1) }, { .ours = true, .fallback = true } },
	{ "a role for a catch-all", "desk@d", FORM_IS_CATCH_ALL, 1, { NOTHING(1) },
	  { .ours = true, .fallback = true } },
	{ "no role for a role", "desk@d", FORM_IS_ROLE, 1, { NOTHING(1) }, { .ours = true } },
	{ "a role by the active domain", "desk@d", FORM_IS_NAME, 2, { FOREIGN(0), NOTHING(1) },
	  { .ours = true, .fallback = true } },
};

static void want_behind(const char *name, const struct behind *got, const struct behind *want)
{
	WANT_NUMBER(name, got->ours, want->ours);
	WANT_NUMBER(name, got->known, want->known);
	WANT_NUMBER(name, got->alias, want->alias);
	WANT_NUMBER(name, got->mailbox, want->mailbox);
	WANT_NUMBER(name, got->send_only, want->send_only);
	WANT_NUMBER(name, got->fallback, want->fallback);
}

static void test_behind(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct address *address = address_new(ADDRESS_MAIL, row->key, strlen(row->key), "+");
		struct facts facts = { .kind = MUM_NAME, .count = row->count };
		struct mum_answer answer = { .status = MUM_FOUND, .address = address };
		struct behind behind = { 0 };
		struct name_row names[2];

		address_add_fallbacks(address, &fallbacks);
		memcpy(names, row->names, sizeof(names));
		facts.names = names;
		answer.facts[MUM_NAME] = &facts;
		rule_behind(&answer, row->of, &behind);
		want_behind(row->name, &behind, &row->want);
		address_unref(&address);
	}
}

static void test_without_facts(void **state)
{
	const struct mum_answer answer = { .status = MUM_NOT_FOUND };
	struct behind behind = { .ours = true };

	(void)state;
	rule_behind(&answer, FORM_IS_NAME, &behind);
	want_behind("no facts", &behind, &(struct behind){ .ours = true });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_behind),
		UNIT_TEST(test_without_facts),
	};

	return cmocka_run_group_tests_name("what is behind a recipient", tests, NULL, NULL);
}
