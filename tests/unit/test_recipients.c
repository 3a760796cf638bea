/* SPDX-License-Identifier: MIT */
/* What is asked about the recipients of an alias before it is answered. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "common/buf.h"
#include "common/columns.h"
#include "common/rules.h"
#include "tests/unit/lookup-bench.h"

enum { TTL = 10000, STALE = 600000, RECIPIENTS_TESTED = 4 };

/* A row of alias_recipients; the mailbox only where there is an id. */
struct recipient {
	const char *text, *mailbox;	/* local part in "d"; NULL: no mailbox_id */
	bool active, send_only;
};

/* An alias team@d with these recipients, and one of each kind of name in "d". */
struct world {
	const struct recipient *recipients;
	size_t count;
	bool no_domain;		/* the store does not answer about domains */
	size_t asked[MUM_QUESTIONS];
};

static void add(struct facts *facts, const struct question *question, size_t form,
		const char *const *cells)
{
	struct column columns[COLUMNS_MAX + 1];
	const char *why = NULL;

	unit_columns(columns, cells, COLUMNS_MAX + 1);
	WANT("the row is read", facts_add_row(facts, question->address, form, columns, &why));
}

static void add_recipient(struct facts *facts, const struct question *question,
			  const struct recipient *recipient, size_t id)
{
	const char *cells[COLUMNS_MAX + 1] = { "1", "d", "1", NULL, NULL, NULL, "team", "1",
					       "0" };
	char number[24];

	snprintf(number, sizeof(number), "%zu", id + 1);
	cells[RECIPIENT_ID] = number;
	cells[RECIPIENT_ADDRESS] = recipient->text;
	if (recipient->mailbox != NULL) {
		cells[RECIPIENT_MAILBOX] = "1";
		cells[RECIPIENT_MAILBOX_LOCAL] = recipient->mailbox;
		cells[RECIPIENT_MAILBOX_DOMAIN] = "d";
		cells[RECIPIENT_MAILBOX_DOMAIN_ACTIVE] = "1";
		cells[RECIPIENT_MAILBOX_ACTIVE] = recipient->active ? "1" : "0";
		cells[RECIPIENT_MAILBOX_SEND_ONLY] = recipient->send_only ? "1" : "0";
	}
	add(facts, question, 0, cells);
}

static void add_name(struct facts *facts, const struct question *question)
{
	static const struct {
		const char *local;
		const char *cells[NAME_COLUMNS];
	} names[] = {
		{ "box", { "1", "d", "1", "box", "1", "0" } },
		{ "sender", { "1", "d", "1", "sender", "1", "1" } },
		{ "gone", { "1", "d", "1", "gone", "0", "0" } },
		{ "list", { "1", "d", "1", NULL, NULL, NULL, "list", "1", "0", "1" } },
		{ "empty", { "1", "d", "1", NULL, NULL, NULL, "empty", "1", "0", "0" } },
		{ "past", { "1", "d", "1", NULL, NULL, NULL, "past", "1", "1", "1" } },
		{ "team", { "1", "d", "1", NULL, NULL, NULL, "team", "1", "0", "1" } },
		{ "team+own", { "1", "d", "1", NULL, NULL, NULL, "team+own", "1", "0", "1" } },
	};
	const struct address *address = question->address;

	for (size_t form = 0; form < address->forms_count; form++) {
		const char *cells[COLUMNS_MAX + 1] = { "1", "d", "1" };

		FOR_EACH_ROW(name, names) {
			if (strcmp(address->forms[form].local, name->local) == 0)
				memcpy(cells, name->cells, sizeof(name->cells));
		}
		add(facts, question, form, cells);
	}
}

static struct facts *respond(const struct question *question, void *arg)
{
	static const char *const domain[COLUMNS_MAX + 1] = { "1", "d", "1" };
	struct world *world = arg;
	struct facts *facts;

	world->asked[question->kind]++;
	if (question->kind == MUM_DOMAIN && world->no_domain)
		return NULL;
	facts = facts_new(question->kind);
	if (question->kind == MUM_DOMAIN && strcmp(question->address->key, "d") == 0)
		add(facts, question, 0, domain);
	if (question->kind == MUM_NAME)
		add_name(facts, question);
	for (size_t i = 0; question->kind == MUM_DELIVERY && i < world->count; i++)
		add_recipient(facts, question, &world->recipients[i], i);
	facts_complete(facts);
	return facts;
}

/* ---- which are handed out ---- */

static const struct {
	const char *name;
	bool other_maps;
	struct recipient recipients[RECIPIENTS_TESTED];
	const char *want;		/* NULL: none */
	size_t domains, names;		/* questions */
} rows[] = {
	{ "a mailbox that accepts mail: no question", true,
	  { { "box@d", "box", true, false } }, "box@d", 0, 0 },
	{ "under its present address", true, { { "old@d", "box", true, false } }, "box@d", 0, 0 },
	{ "a mailbox that only sends", true, { { "sender@d", "sender", true, true } }, NULL, 0,
	  1 },
	{ "a mailbox that only sends, where an alias has its name", true,
	  { { "list@d", "list", true, true } }, "list@d", 0, 1 },
	{ "a foreign domain", false, { { .text = "x@y" } }, "x@y", 1, 0 },
	{ "foreign ones: a question for each domain", false,
	  { { .text = "a@y" }, { .text = "b@y" }, { .text = "c@z" } }, "a@y,b@y,c@z", 2, 0 },
	{ "typed, a mailbox", false, { { .text = "box@d" } }, "box@d", 1, 1 },
	{ "typed, a mailbox that only sends", true, { { .text = "sender@d" }, { .text = "x@y" } }, "x@y", 2, 1 },
	{ "typed, inactive", true, { { .text = "gone@d" } }, NULL, 1, 1 },
	{ "typed, an alias", false, { { .text = "list@d" } }, "list@d", 1, 1 },
	{ "typed, an alias without recipients", true, { { .text = "empty@d" } }, NULL, 1, 1 },
	{ "typed, an expired alias", true, { { .text = "past@d" } }, NULL, 1, 1 },
	{ "typed, unknown, and another map may know it", true, { { .text = "nobody@d" } }, "nobody@d", 1,
	  1 },
	{ "typed, unknown, and there is no other map", false, { { .text = "nobody@d" } }, NULL, 1, 1 },
	{ "with an extension", true, { { .text = "sender+x@d" } }, NULL, 1, 1 },
	{ "in another case", true, { { .text = " SENDER@D " } }, NULL, 1, 1 },
	{ "with a dot behind, as Postfix reads it", true, { { .text = "sender@d." } }, NULL, 1, 1 },
	{ "with a percent sign, as Postfix reads it", true, { { .text = "sender%d" } }, NULL, 1, 1 },
	{ "with a bang, as Postfix reads it", true, { { .text = "d!sender" } }, NULL, 1, 1 },
	{ "the alias itself: no mailbox of that name", true, { { .text = "team@d" } }, NULL, 1, 1 },
	{ "the alias with an extension never ends", true, { { .text = "team+x@d" } }, NULL, 1, 1 },
	{ "a name with an extension that is an alias of its own", true, { { .text = "team+own@d" } },
	  "team+own@d", 1, 1 },
	{ "the alias in another spelling never ends", true, { { .text = "team@d." } }, NULL, 1, 1 },
	{ "blank", true, { { .text = " " }, { .text = "x@y" } }, "x@y", 1, 0 },
	{ "no domain at all: another's", false, { { .text = "root" } }, "root", 1, 0 },
};

static char *spell(const struct mum_answer *answer)
{
	struct buf text = BUF_INIT(10000);
	struct arena arena = { NULL };
	struct recipients recipients;
	bool found = rule_recipients(answer, &arena, &recipients) == MUM_FOUND;

	for (size_t i = 0; found && i < recipients.count; i++)
		buf_printf(&text, "%s%s", i > 0 ? "," : "", recipients.addresses[i]);
	arena_free(&arena);
	return found ? buf_steal(&text) : NULL;
}

static char *last_list;

static void keep_list(struct got *got)
{
	free(last_list);
	last_list = spell(got->answer);
}

static void start(struct bench *bench, struct world *world, bool other_maps)
{
	bench_init_all(bench, TTL, STALE, BENCH_ENTRIES, other_maps);
	fake_store_respond(&bench->store, respond, world);
}

static void ask(struct bench *bench, struct got *got, const char *key)
{
	bench_ask(bench, got, MUM_ASK(MUM_DELIVERY), key);
	got->inside = keep_list;
}

static void test_which_are_handed_out(void **state)
{
	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct bench bench;
		struct world world = { .recipients = row->recipients };
		struct got got;

		while (world.count < RECIPIENTS_TESTED && row->recipients[world.count].text != NULL)
			world.count++;
		start(&bench, &world, row->other_maps);
		ask(&bench, &got, "team@d");
		fake_host_settle(&bench.host, 20);
		WANT_NUMBER(row->name, got.calls, 1);
		WANT_NUMBER(row->name, got.status, MUM_FOUND);
		WANT_TEXT(row->name, last_list, row->want);
		WANT_NUMBER(row->name, world.asked[MUM_DOMAIN], row->domains);
		WANT_NUMBER(row->name, world.asked[MUM_NAME], row->names);
		ask(&bench, &got, "team@d");
		fake_host_settle(&bench.host, 20);
		WANT_TEXT("the same from the cache", last_list, row->want);
		WANT_NUMBER("which is asked once", world.asked[MUM_DELIVERY], 1);
		bench_free(&bench);
	}
	free(last_list);
	last_list = NULL;
}

/* ---- age, trouble, an end on the way ---- */

static const struct recipient foreign = { .text = "x@y" };

static void test_facts_are_as_old_as_their_oldest_part(void **state)
{
	struct bench bench;
	struct world world = { .recipients = &foreign, .count = 1 };
	struct got got;

	(void)state;
	start(&bench, &world, true);
	bench_ask(&bench, &got, MUM_ASK(MUM_DOMAIN), "y");
	fake_host_settle(&bench.host, 20);
	fake_host_advance(&bench.host, TTL - 100);
	bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "team@d");
	fake_host_settle(&bench.host, 20);
	WANT_NUMBER("the domain came from the cache", world.asked[MUM_DOMAIN], 1);
	fake_host_advance(&bench.host, 200);
	bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "team@d");
	fake_host_settle(&bench.host, 20);
	WANT_NUMBER("so the alias is asked for again", world.asked[MUM_DELIVERY], 2);
	WANT_NUMBER("and the domain", world.asked[MUM_DOMAIN], 2);
	bench_free(&bench);
}

static void test_the_time_that_recipients_take_counts(void **state)
{
	enum { WAITED = 1500 };
	struct bench bench;
	struct world world = { .recipients = &foreign, .count = 1 };
	struct got got;
	struct facts *facts;

	(void)state;
	bench_init(&bench, TTL, STALE);
	bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "team@d");
	facts = respond(fake_store_question(&bench.store, 0), &world);
	fake_store_answer(&bench.store, 0, MUM_FOUND, facts, NULL);
	facts_unref(&facts);
	fake_host_advance(&bench.host, WAITED);
	bench_answer(&bench, 0, MUM_FOUND);
	fake_host_settle(&bench.host, 20);
	WANT("the alias is answered", got.calls == 1 && got.status == MUM_FOUND);
	fake_host_advance(&bench.host, TTL - WAITED);
	bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "team@d");
	WANT_NUMBER("its row is as old as cache.ttl now", fake_store_pending(&bench.store), 1);
	bench_free(&bench);
}

/* After cache.ttl a change in MUM must show, whoever waits. */
static void test_who_comes_late_does_not_get_old_rows(void **state)
{
	struct bench bench;
	struct world world = { .recipients = &foreign, .count = 1 };
	struct got first, late;
	struct facts *facts;

	(void)state;
	bench_init(&bench, 100, STALE);
	bench_ask(&bench, &first, MUM_ASK(MUM_DELIVERY), "team@d");
	facts = respond(fake_store_question(&bench.store, 0), &world);
	fake_store_answer(&bench.store, 0, MUM_FOUND, facts, NULL);
	facts_unref(&facts);
	fake_host_advance(&bench.host, 100);
	bench_ask(&bench, &late, MUM_ASK(MUM_DELIVERY), "team@d");
	WANT_NUMBER("the alias is asked for again", fake_store_pending(&bench.store), 2);
	bench_answer(&bench, 1, MUM_FOUND);
	fake_host_settle(&bench.host, 20);
	WANT("whose new rows are none", late.calls == 1 && first.calls == 0);
	bench_answer(&bench, 0, MUM_FOUND);
	fake_host_settle(&bench.host, 20);
	WANT("who came first has the old ones", first.calls == 1 && first.status == MUM_FOUND);
	bench_ask(&bench, &late, MUM_ASK(MUM_DELIVERY), "team@d");
	fake_host_settle(&bench.host, 20);
	WANT("the cache keeps the new ones", late.calls == 1 && !late.stale);
	WANT_NUMBER("and nobody is asked", fake_store_pending(&bench.store), 0);
	/* The lookups end while such a fetch is under way. */
	fake_host_advance(&bench.host, 100);
	bench_ask(&bench, &first, MUM_ASK(MUM_DELIVERY), "team@d");
	facts = respond(fake_store_question(&bench.store, 0), &world);
	fake_store_answer(&bench.store, 0, MUM_FOUND, facts, NULL);
	facts_unref(&facts);
	fake_host_advance(&bench.host, 100);
	bench_ask(&bench, &late, MUM_ASK(MUM_DELIVERY), "team@d");
	bench_free(&bench);
}

static void test_no_answer_about_a_recipient_is_no_answer(void **state)
{
	struct bench bench;
	struct world world = { .recipients = &foreign, .count = 1, .no_domain = true };
	struct got got;

	(void)state;
	start(&bench, &world, true);
	bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "team@d");
	fake_host_settle(&bench.host, 20);
	WANT("tempfail, with a reason", got.calls == 1 && got.status == MUM_TEMPFAIL &&
	     got.had_reason);
	WANT_NUMBER("nothing is kept", bench.stats.cached, 0);
	world.no_domain = false;
	bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "team@d");
	fake_host_settle(&bench.host, 20);
	WANT("answered when it can be", got.calls == 1 && got.status == MUM_FOUND);
	bench_free(&bench);
}

static void test_the_deadline_counts_for_all_of_it(void **state)
{
	struct bench bench;
	struct world world = { .recipients = &foreign, .count = 1 };
	struct got got, late;

	(void)state;
	bench_init(&bench, TTL, STALE);
	bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "team@d");
	fake_store_respond(&bench.store, NULL, NULL);
	struct facts *facts = respond(fake_store_question(&bench.store, 0), &world);
	fake_store_answer(&bench.store, 0, MUM_FOUND, facts, NULL);
	facts_unref(&facts);
	WANT_NUMBER("the domain is asked for", fake_store_pending(&bench.store), 1);
	fake_host_advance(&bench.host, 10);
	bench_ask(&bench, &late, MUM_ASK(MUM_DELIVERY), "team@d");
	WANT_NUMBER("who comes later waits with it", fake_store_pending(&bench.store), 1);
	fake_host_advance(&bench.host, BENCH_DEADLINE - 10);
	WANT("tempfail", got.calls == 1 && got.status == MUM_TEMPFAIL);
	WANT_NUMBER("the other one waits on", late.calls, 0);
	fake_host_advance(&bench.host, 10);
	WANT("to its own deadline", late.calls == 1 && late.status == MUM_TEMPFAIL);
	WANT_NUMBER("and the question is withdrawn", fake_store_pending(&bench.store), 0);
	bench_free(&bench);
}

static void test_an_end_on_the_way(void **state)
{
	static const char *const names[] = { "cancelled", "all is freed",
					     "the first leaves, then all is freed" };

	(void)state;
	for (size_t way = 0; way < ARRAY_LEN(names); way++) {
		struct bench bench;
		struct world world = { .recipients = &foreign, .count = 1 };
		struct got got, other;
		struct facts *facts;

		bench_init(&bench, TTL, STALE);
		bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "team@d");
		facts = respond(fake_store_question(&bench.store, 0), &world);
		fake_store_answer(&bench.store, 0, MUM_FOUND, facts, NULL);
		facts_unref(&facts);
		bench_ask(&bench, &other, MUM_ASK(MUM_DELIVERY), "team@d");
		if (way != 1)
			mum_lookup_cancel(&got.lookup);
		if (way == 0)
			mum_lookup_cancel(&other.lookup);
		bench_free(&bench);
		WANT_NUMBER(names[way], got.calls + other.calls, 0);
	}
}

/* ---- more than anybody can be handed ---- */

static void want_left_out(const char *name, int count, size_t domains)
{
	struct recipient *many = calloc((size_t)count, sizeof(*many));
	char (*text)[16] = calloc((size_t)count, sizeof(*text));
	struct bench bench;
	struct world world = { .recipients = many, .count = (size_t)count };
	struct got got;

	for (int i = 0; i < count; i++) {
		snprintf(text[i], sizeof(text[i]), "%05d@e.xy", i);
		many[i].text = text[i];
	}
	start(&bench, &world, true);
	for (int time = 0; time < 3; time++) {
		bench_ask(&bench, &got, MUM_ASK(MUM_DELIVERY), "team@d");
		fake_host_settle(&bench.host, 20);
		WANT(name, got.calls == 1 && got.status == MUM_FOUND);
	}
	WANT_NUMBER("read once, and kept, though no cache holds so many rows",
		    world.asked[MUM_DELIVERY], 1);
	WANT_NUMBER(name, world.asked[MUM_DOMAIN], domains);
	WANT_NUMBER("as one answer about the alias, beside those about domains",
		    bench.stats.cached, 1 + domains);
	bench_free(&bench);
	free(many);
	free(text);
}

static void test_more_than_anybody_can_be_handed(void **state)
{
	(void)state;
	want_left_out("more bytes than that", 12000, 1);
	want_left_out("more rows than fit, however short they are: nothing is asked", 25001, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_which_are_handed_out),
		UNIT_TEST(test_facts_are_as_old_as_their_oldest_part),
		UNIT_TEST(test_the_time_that_recipients_take_counts),
		UNIT_TEST(test_who_comes_late_does_not_get_old_rows),
		UNIT_TEST(test_no_answer_about_a_recipient_is_no_answer),
		UNIT_TEST(test_the_deadline_counts_for_all_of_it),
		UNIT_TEST(test_an_end_on_the_way),
		UNIT_TEST(test_more_than_anybody_can_be_handed),
	};

	return cmocka_run_group_tests_name("recipients", tests, NULL, NULL);
}
