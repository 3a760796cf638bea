/* SPDX-License-Identifier: MIT */
/* Who owns an address, and who may send as it. */
#include "tests/unit/unit.h"

#include "common/buf.h"
#include "common/rules.h"

#define ITSELF(login_) \
	.login = (login_), .domain_active = true, .mailbox_active = true, \
	.mailbox_domain_active = true
#define SENDER(login_) ITSELF(login_), .id = 7, .alias_active = true

static const struct {
	const char *name, *key;
	struct owner_row rows[5];
	const char *want;	/* "login,login"; NULL: nobody */
} owners[] = {
	{ "no row", "a@d", { { 0 } }, NULL },
	{ "the mailbox itself", "a@d", { { ITSELF("A@d") } }, "A@d" },
	{ "itself, then alias senders by id", "a@d",
	  { { ITSELF("a@d") }, { SENDER("z@d") }, { SENDER("b@d") } }, "a@d,z@d,b@d" },
	{ "an inactive mailbox", "a@d",
	  { { .login = "a@d", .domain_active = true, .mailbox_domain_active = true } },
	  NULL },
	{ "a mailbox of an inactive domain", "a@d",
	  { { .login = "a@d", .mailbox_active = true } }, NULL },
	{ "an inactive owner of an alias", "a@d",
	  { { .login = "b@d", .domain_active = true, .mailbox_domain_active = true,
	      .id = 7, .alias_active = true } }, NULL },
	{ "an owner in an inactive domain", "a@d",
	  { { .login = "b@e", .domain_active = true, .mailbox_active = true,
	      .id = 7, .alias_active = true } }, NULL },
	{ "an alias of an inactive domain", "a@d",
	  { { .login = "b@e", .mailbox_active = true, .mailbox_domain_active = true,
	      .id = 7, .alias_active = true } }, NULL },
	{ "an inactive alias", "a@d", { { ITSELF("b@d"), .id = 7 } }, NULL },
	{ "an expired alias", "a@d", { { SENDER("b@d"), .alias_expired = true } }, NULL },
	{ "an expired alias leaves the mailbox itself", "a@d",
	  { { ITSELF("a@d") }, { SENDER("b@d"), .alias_expired = true } }, "a@d" },
	{ "the flags of an alias mean nothing for the mailbox itself", "a@d",
	  { { ITSELF("a@d"), .alias_expired = true } }, "a@d" },
	{ "each login once", "a@d", { { ITSELF("a@d") }, { SENDER("A@D") } }, "a@d" },
	{ "the full form wins", "joe+t@d",
	  { { ITSELF("joe+t@d") }, { .form = 1, ITSELF("joe@d") } }, "joe+t@d" },
	{ "the form without extension", "joe+t@d", { { .form = 1, ITSELF("joe@d") } },
	  "joe@d" },
	{ "a full form without owners does not count", "joe+t@d",
	  { { SENDER("b@d"), .alias_expired = true }, { .form = 1, ITSELF("joe@d") } },
	  "joe@d" },
};

static size_t count_rows(const struct owner_row *rows)
{
	size_t count = 0;

	while (rows[count].login != NULL)
		count++;
	return count;
}

static void test_owners(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, owners) {
		struct address *address =
			address_new(ADDRESS_MAIL, row->key, strlen(row->key), "+");
		struct facts facts = { .kind = MUM_OWNERS,
				       .count = count_rows(row->rows),
				       .owners = (struct owner_row *)row->rows };
		struct mum_answer answer = { .status = MUM_FOUND, .address = address,
					     .facts[MUM_OWNERS] = &facts };
		struct arena arena = { NULL };
		struct owners got;
		struct buf text = BUF_INIT(1000);
		char *spelled = NULL;

		if (rule_owners(&answer, &arena, &got) == MUM_FOUND) {
			for (size_t i = 0; i < got.count; i++)
				buf_printf(&text, "%s%s", i > 0 ? "," : "", got.logins[i]);
			spelled = buf_steal(&text);
		}
		WANT_TEXT(row->name, spelled, row->want);
		free(spelled);
		arena_free(&arena);
		address_unref(&address);
	}
}

#define OWNED { { ITSELF("a@d") }, { SENDER("Gro\xc3\x9f@b\xc3\xbc" "cher.d") } }
#define DEAD { { .login = "a@d", .domain_active = true } }
#define STRICT false
#define KNOWN true

static void test_senders(void **state)
{
	static const struct {
		const char *name, *login;
		struct owner_row rows[3];
		bool known_only;
		enum sender_verdict want;
	} rows[] = {
		{ "strict: an owner", "a@d", OWNED, STRICT, SENDER_ACCEPTED },
		{ "strict: an owner in another case", "A@D", OWNED, STRICT, SENDER_ACCEPTED },
		{ "strict: another owner, as SASL spells it", "gross@xn--bcher-kva.d", OWNED,
		  STRICT, SENDER_ACCEPTED },
		{ "strict: not an owner", "x@d", OWNED, STRICT, SENDER_NOT_OWNED },
		{ "strict: a part of an owner's name", "a@", OWNED, STRICT,
		  SENDER_NOT_OWNED },
		{ "strict: an owner with an extension is no owner", "a+x@d", OWNED, STRICT,
		  SENDER_NOT_OWNED },
		{ "strict: an accent", "\xc3\xa1@d", OWNED, STRICT, SENDER_NOT_OWNED },
		{ "strict: nobody logged in", "", OWNED, STRICT, SENDER_NOT_LOGGED_IN },
		{ "strict: an address without owners", "a@d", { { 0 } }, STRICT,
		  SENDER_NOT_OWNED },
		{ "strict: only inactive owners", "a@d", DEAD, STRICT, SENDER_NOT_OWNED },
		{ "strict: no owners, nobody logged in", "", { { 0 } }, STRICT,
		  SENDER_ACCEPTED },
		{ "known: an owner", "a@d", OWNED, KNOWN, SENDER_ACCEPTED },
		{ "known: not an owner", "x@d", OWNED, KNOWN, SENDER_NOT_OWNED },
		{ "known: an address without owners", "a@d", { { 0 } }, KNOWN,
		  SENDER_ACCEPTED },
		{ "known: only inactive owners", "a@d", DEAD, KNOWN, SENDER_ACCEPTED },
		{ "known: nobody logged in", "", OWNED, KNOWN, SENDER_NOT_LOGGED_IN },
		{ "known: no owners, nobody logged in", "", { { 0 } }, KNOWN,
		  SENDER_ACCEPTED },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct address *address = address_new(ADDRESS_MAIL, "a@d", 3, "+");
		struct facts facts = { .kind = MUM_OWNERS,
				       .count = count_rows(row->rows),
				       .owners = (struct owner_row *)row->rows };
		struct mum_answer answer = { .status = MUM_FOUND, .address = address,
					     .facts[MUM_OWNERS] = &facts };
		enum sender_verdict got = (enum sender_verdict)99;

		WANT_NUMBER(row->name, rule_sender(&answer, row->login, row->known_only, &got),
			    MUM_FOUND);
		WANT_NUMBER(row->name, got, row->want);
		address_unref(&address);
	}
}

/* A sender address that cannot exist is foreign to everybody who has logged in. */
static void test_impossible_senders(void **state)
{
	static const struct {
		const char *name, *login;
		bool known_only;
		enum sender_verdict want;
	} rows[] = {
		{ "strict, logged in", "a@d", STRICT, SENDER_NOT_OWNED },
		{ "strict, nobody logged in", "", STRICT, SENDER_ACCEPTED },
		{ "known, logged in", "a@d", KNOWN, SENDER_ACCEPTED },
		{ "known, nobody logged in", "", KNOWN, SENDER_ACCEPTED },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct mum_answer answer = { .status = MUM_NOT_FOUND };
		enum sender_verdict got = (enum sender_verdict)99;

		WANT_NUMBER(row->name, rule_sender(&answer, row->login, row->known_only, &got),
			    MUM_FOUND);
		WANT_NUMBER(row->name, got, row->want);
	}
}

static void test_trouble_passes_through(void **state)
{
	static const enum mum_status all[] = { MUM_TEMPFAIL, MUM_MISCONFIGURED };

	(void)state;
	FOR_EACH_ROW(status, all) {
		struct mum_answer answer = { .status = *status, .reason = "x" };
		struct arena arena = { NULL };
		struct owners got;
		enum sender_verdict verdict;

		WANT_NUMBER("owners", rule_owners(&answer, &arena, &got), *status);
		WANT_NUMBER("sender", rule_sender(&answer, "a@d", false, &verdict), *status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_owners),
		UNIT_TEST(test_senders),
		UNIT_TEST(test_impossible_senders),
		UNIT_TEST(test_trouble_passes_through),
	};

	return cmocka_run_group_tests_name("rules about senders", tests, NULL, NULL);
}
