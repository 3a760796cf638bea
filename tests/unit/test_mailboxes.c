/* SPDX-License-Identifier: MIT */
/* In which mailboxes mail to an address ends. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "common/buf.h"
#include "common/columns.h"
#include "common/mailboxes.h"
#include "tests/unit/lookup-bench.h"

enum { TTL = 10000, STALE = 600000, MAX = 4, NAME_RECIPIENTS = 6 };

/* A core over a fake store, in place of core.c. */
struct mum_core {
	struct bench bench;
	struct mum_config config;
	size_t asked;		/* MUM_DELIVERY */
};

const struct mum_config *mum_core_config(const struct mum_core *core)
{
	return &core->config;
}

struct mum_lookup *mum_core_ask(struct mum_core *core, unsigned questions, const char *key,
				size_t key_len, unsigned deadline_ms, mum_answer_fn *fn,
				void *arg)
{
	return mum_lookup_start(core->bench.lookups, questions, key, key_len, deadline_ms, fn,
				arg);
}

/* The names in the domain "d". */
static const struct name {
	const char *local;
	bool mailbox, send_only;
	const char *recipients[NAME_RECIPIENTS];	/* of its alias */
} names[] = {
	{ "anna", true, false, { NULL } },
	{ "bob", true, false, { NULL } },
	{ "sender", true, true, { NULL } },
	{ "with blank", true, false, { NULL } },
	{ "both", true, false, { "both@d", "anna@d" } },
	{ "away", true, false, { "bob@d" } },
	{ "one", false, false, { "anna@d" } },
	{ "team", false, false, { "anna@d", "bob@d" } },
	{ "anna+x", false, false, { "bob@d" } },
	{ "twice", false, false, { "anna@d", "ANNA@d", "one@d" } },
	{ "behind", false, false, { "one@d", "bob@d" } },
	{ "deep", false, false, { "behind@d" } },
	{ "copy", false, false, { "both@d" } },
	{ "copies", false, false, { "copy@d" } },
	{ "out", false, false, { "anna@d", "x@y" } },
	{ "outside", false, false, { "out@d" } },
	{ "map", false, false, { "anna@d", "nobody@d" } },
	{ "live", false, false, { "anna@d", "sender@d" } },
	{ "dead", false, false, { "sender@d" } },
	{ "first", false, false, { "second@d" } },
	{ "second", false, false, { "first@d", "anna@d" } },
	{ "four", false, false, { "anna@d", "bob@d", "both@d", "with blank@d" } },
	{ "three", false, false, { "anna@d", "bob@d", "with blank@d" } },
	{ "five", false, false, { "a@d", "b@d", "anna@d", "bob@d", "with blank@d" } },
	{ "blank", false, false, { "with blank@d" } },
	{ "odd", false, false, { "anna%d" } },
	{ "", false, false, { "one@d", "bob@d" } },	/* the catch-all */
};

static void add(struct facts *facts, const struct question *question, size_t form,
		const char *const *cells)
{
	struct column columns[COLUMNS_MAX + 1];
	const char *why = NULL;

	unit_columns(columns, cells, COLUMNS_MAX + 1);
	WANT("the row is read", facts_add_row(facts, question->address, form, columns, &why));
}

/* The cells that MUM_DELIVERY and MUM_NAME have of a mailbox and an alias. */
static void put_name(const char **cells, const struct name *name)
{
	if (name->mailbox) {
		cells[DELIVERY_MAILBOX_LOCAL] = name->local;
		cells[DELIVERY_MAILBOX_ACTIVE] = "1";
		cells[DELIVERY_MAILBOX_SEND_ONLY] = name->send_only ? "1" : "0";
	}
	if (name->recipients[0] != NULL) {
		cells[DELIVERY_ALIAS_LOCAL] = name->local;
		cells[DELIVERY_ALIAS_ACTIVE] = "1";
		cells[DELIVERY_ALIAS_EXPIRED] = "0";
	}
}

static void add_delivery(struct facts *facts, const struct question *question, size_t form,
			 const struct name *name)
{
	const char *cells[COLUMNS_MAX + 1] = { "1", "d", "1", NULL, NULL, NULL, NULL };
	char number[24];
	size_t i = 0;

	put_name(cells, name);
	do {
		snprintf(number, sizeof(number), "%zu", i + 1);
		cells[RECIPIENT_ID] = name->recipients[i] != NULL ? number : NULL;
		cells[RECIPIENT_ADDRESS] = name->recipients[i];
		add(facts, question, form, cells);
		i++;
	} while (i < NAME_RECIPIENTS && name->recipients[i] != NULL);
}

static void add_name(struct facts *facts, const struct question *question, size_t form,
		     const struct name *name)
{
	const char *cells[COLUMNS_MAX + 1] = { "1", "d", "1", NULL, NULL, NULL, NULL };

	put_name(cells, name);
	if (name->recipients[0] != NULL)
		cells[NAME_HAS_RECIPIENTS] = "1";
	add(facts, question, form, cells);
}

static struct facts *respond(const struct question *question, void *arg)
{
	static const char *const domain[COLUMNS_MAX + 1] = { "1", "d", "1" };
	struct mum_core *core = arg;
	const struct address *address = question->address;
	struct facts *facts = facts_new(question->kind);

	core->asked += question->kind == MUM_DELIVERY;
	if ((question->kind == MUM_DOMAIN || question->kind == MUM_NAME) &&
	    strcmp(address->domain, "d") == 0)
		add(facts, question, 0, domain);
	for (size_t form = 0; question->kind != MUM_DOMAIN && form < address->forms_count; form++) {
		FOR_EACH_ROW(name, names) {
			if (strcmp(address->domain, "d") != 0 ||
			    strcmp(address->forms[form].local, name->local) != 0)
				continue;
			if (question->kind == MUM_NAME)
				add_name(facts, question, form, name);
			else
				add_delivery(facts, question, form, name);
		}
	}
	facts_complete(facts);
	return facts;
}

/* ---- where it ends ---- */

struct row {
	const char *name, *address;
	enum mailboxes_status want;
	const char *names;	/* with MAILBOXES_FOUND; else what the status is about */
};

static const struct row rows[] = {
	{ "a mailbox", "anna@d", MAILBOXES_FOUND, "anna@d" },
	{ "with an extension", "bob+news@d", MAILBOXES_FOUND, "bob@d" },
	{ "in another spelling", "ANNA@D.", MAILBOXES_FOUND, "anna@d" },
	{ "in quotes", "with blank@d", MAILBOXES_FOUND, "\"with blank\"@d" },
	{ "an alias", "team@d", MAILBOXES_FOUND, "anna@d bob@d" },
	{ "an alias that names itself", "both@d", MAILBOXES_FOUND, "both@d anna@d" },
	{ "an alias in place of the mailbox", "away@d", MAILBOXES_FOUND, "bob@d" },
	{ "one alias behind another", "behind@d", MAILBOXES_FOUND, "bob@d anna@d" },
	{ "behind it one that names itself", "copy@d", MAILBOXES_FOUND, "both@d anna@d" },
	{ "each once", "twice@d", MAILBOXES_FOUND, "anna@d" },
	{ "the extension leads elsewhere", "one+x@d", MAILBOXES_FOUND, "bob@d" },
	{ "who only sends is left out", "live@d", MAILBOXES_FOUND, "anna@d" },
	{ "as many as may be", "three@d", MAILBOXES_FOUND, "anna@d bob@d \"with blank\"@d" },
	{ "quotes are put and read again", "blank@d", MAILBOXES_FOUND, "\"with blank\"@d" },
	{ "as Postfix rewrites it", "odd@d", MAILBOXES_FOUND, "anna@d" },
	{ "one more behind an alias", "four@d", MAILBOXES_TOO_MANY, "both@d" },
	{ "too many", "five@d", MAILBOXES_TOO_MANY, "five@d" },
	{ "three aliases", "deep@d", MAILBOXES_TOO_DEEP, "one@d" },
	{ "the third one names itself", "copies@d", MAILBOXES_TOO_DEEP, "both@d" },
	{ "in a circle", "first@d", MAILBOXES_TOO_DEEP, "first@d" },
	{ "outside", "out@d", MAILBOXES_ELSEWHERE, "x@y" },
	{ "outside, behind an alias", "outside@d", MAILBOXES_ELSEWHERE, "x@y" },
	{ "another map of Postfix may know it", "map@d", MAILBOXES_NOBODY, "nobody@d" },
	{ "in two ways", "anna%y@d", MAILBOXES_UNCLEAR, "anna%y@d" },
	{ "nobody", "nobody@d", MAILBOXES_NOBODY, "nobody@d" },
	{ "foreign", "x@y", MAILBOXES_NOBODY, "x@y" },
	{ "send-only", "sender@d", MAILBOXES_NOBODY, "sender@d" },
	{ "an alias to nobody", "dead@d", MAILBOXES_NOBODY, "dead@d" },
};

/* With address.catch_all. */
static const struct row caught[] = {
	{ "nobody: a catch-all is an alias", "nobody@d", MAILBOXES_FOUND, "bob@d anna@d" },
	{ "without the extension", "nobody+x@d", MAILBOXES_FOUND, "bob@d anna@d" },
	{ "not a mailbox", "anna@d", MAILBOXES_FOUND, "anna@d" },
	{ "nor one that takes no mail", "sender@d", MAILBOXES_NOBODY, "sender@d" },
	{ "behind an alias", "map@d", MAILBOXES_TOO_DEEP, "one@d" },
};

struct heard {
	unsigned calls;
	enum mailboxes_status status;
	char *text;		/* the names, or what it is about */
};

static void on_found(const struct mailboxes *found, void *arg)
{
	struct heard *heard = arg;
	struct buf text = BUF_INIT(10000);

	heard->calls++;
	heard->status = found->status;
	if (found->status != MAILBOXES_FOUND)
		buf_puts(&text, found->name);
	for (size_t i = 0; i < found->count; i++)
		buf_printf(&text, "%s%s", i > 0 ? " " : "", found->names[i]);
	heard->text = buf_steal(&text);
}

static struct mum_core core;

static int setup(void **state)
{
	(void)state;
	memset(&core, 0, sizeof(core));
	core.config.address.recipient_delimiter = "+";
	core.config.address.myorigin = "d";
	core.config.address.mydomain = "";
	core.config.address.allow_percent_hack = true;
	bench_init_all(&core.bench, TTL, STALE, BENCH_ENTRIES, true);
	fake_store_respond(&core.bench.store, respond, &core);
	return 0;
}

static int teardown(void **state)
{
	bench_free(&core.bench);
	return unit_teardown(state);
}

static struct mailboxes_walk *find(const char *address, struct heard *heard)
{
	*heard = (struct heard){ 0 };
	return mailboxes_find(&core.bench.host.host, &core, address, MAX, BENCH_DEADLINE,
			      on_found, heard);
}

static void want_end(const struct row *row)
{
	struct heard heard;

	(void)find(row->address, &heard);
	WANT_NUMBER("not from inside the call", heard.calls, 0);
	fake_host_settle(&core.bench.host, 30);
	WANT_NUMBER(row->name, heard.calls, 1);
	WANT_NUMBER(row->name, heard.status, row->want);
	WANT_TEXT(row->name, heard.text, row->names);
	free(heard.text);
}

static void where_mail_ends(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, rows)
		want_end(row);
}

static void where_a_catch_all_leads(void **state)
{
	const struct lookups_settings settings = {
		.recipient_delimiter = "+",
		.ttl_ms = TTL,
		.stale_ms = STALE,
		.entries = BENCH_ENTRIES,
		.recipients = { .readings = mum_config_readings(&core.config),
				.fallbacks.catch_all = true },
	};

	(void)state;
	bench_free(&core.bench);
	bench_init_settings(&core.bench, &settings);
	fake_store_respond(&core.bench.store, respond, &core);
	FOR_EACH_ROW(row, caught)
		want_end(row);
}

static void a_database_that_is_silent(void **state)
{
	struct heard heard;

	(void)state;
	core.bench.store.respond = NULL;
	(void)find("team@d", &heard);
	fake_host_advance(&core.bench.host, BENCH_DEADLINE - 1);
	WANT_NUMBER("waits", heard.calls, 0);
	fake_host_advance(&core.bench.host, 2);
	WANT_NUMBER("at the deadline", heard.calls, 1);
	WANT_NUMBER("no answer", heard.status, MAILBOXES_NO_ANSWER);
	free(heard.text);
}

static void cancelling_on_the_way(void **state)
{
	struct mailboxes_walk *walk;
	struct heard heard;

	(void)state;
	for (size_t turns = 0; turns < 6; turns++) {
		walk = find("behind@d", &heard);
		for (size_t i = 0; i < turns && heard.calls == 0; i++)
			fake_host_turn(&core.bench.host);
		if (heard.calls == 0)
			mailboxes_cancel(&walk);
		fake_host_settle(&core.bench.host, 30);
		WANT("at most one call", heard.calls <= 1);
		free(heard.text);
		fake_host_advance(&core.bench.host, TTL + 1);
	}
}

/* The recipient check has just asked the same. */
static void a_mailbox_in_the_cache_asks_the_database_nothing(void **state)
{
	struct heard heard;

	(void)state;
	for (int i = 0; i < 3; i++) {
		(void)find("anna@d", &heard);
		fake_host_settle(&core.bench.host, 30);
		free(heard.text);
	}
	WANT_NUMBER("questions", core.asked, 1);
}

#define WALK_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WALK_TEST(where_mail_ends),
		WALK_TEST(where_a_catch_all_leads),
		WALK_TEST(a_database_that_is_silent),
		WALK_TEST(cancelling_on_the_way),
		WALK_TEST(a_mailbox_in_the_cache_asks_the_database_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
