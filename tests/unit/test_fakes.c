/* SPDX-License-Identifier: MIT */
/* The fakes keep the promises of host.h and store.h. All other tests depend on that. */
#include "tests/unit/unit.h"

#include "common/buf.h"
#include "tests/fakes/fake-host.h"
#include "tests/fakes/fake-store.h"

/* ---- host ---- */

struct note {
	struct buf *trace;
	struct fake_host *fake;
	const char *name;
	struct mum_timer *victim;	/* cancelled when this one fires */
	struct note *next;		/* armed when this one fires */
};

static void on_note(void *arg)
{
	struct note *note = arg;

	buf_puts(note->trace, note->name);
	host_untimer(&note->fake->host, &note->victim);
	if (note->next != NULL)
		note->fake->host.ops->timer(note->fake, 0, on_note, note->next);
}

static char *text_of(struct buf *trace)
{
	return buf_steal(trace);
}

static void test_timers_fire_in_order_and_only_when_due(void **state)
{
	struct fake_host fake;
	struct buf trace = BUF_INIT(100);
	struct note a = { &trace, &fake, "a", NULL, NULL };
	struct note b = { &trace, &fake, "b", NULL, NULL };
	struct note c = { &trace, &fake, "c", NULL, NULL };
	char *got;

	(void)state;
	fake_host_init(&fake);
	fake.host.ops->timer(&fake, 20, on_note, &c);
	fake.host.ops->timer(&fake, 10, on_note, &a);
	fake.host.ops->timer(&fake, 10, on_note, &b);
	WANT("a timer never fires inside its arming", trace.len == 0);
	WANT_NUMBER("nothing is due", fake_host_turn(&fake), 0);
	fake_host_advance(&fake, 9);
	WANT("one millisecond early is early", trace.len == 0);
	fake_host_advance(&fake, 1);
	fake_host_advance(&fake, 100);
	got = text_of(&trace);
	WANT_TEXT("by time, then by arming", got, "abc");
	WANT_NUMBER("the clock moved", fake.now_ms, 1000110);
	WANT_NUMBER("all are gone", fake_host_timers(&fake), 0);
	free(got);
	fake_host_free(&fake);
}

static void test_a_turn_ends(void **state)
{
	struct fake_host fake;
	struct buf trace = BUF_INIT(100);
	struct note again = { &trace, &fake, "x", NULL, NULL };

	(void)state;
	fake_host_init(&fake);
	again.next = &again;
	fake.host.ops->timer(&fake, 0, on_note, &again);
	WANT_NUMBER("what a timer arms is of the next turn", fake_host_turn(&fake), 1);
	WANT_NUMBER("settling is bounded", fake_host_settle(&fake, 5), 5);
	WANT_NUMBER("still armed", fake_host_timers(&fake), 1);
	buf_free(&trace);
	fake_host_free(&fake);
}

static void test_a_cancelled_timer_never_fires(void **state)
{
	struct fake_host fake;
	struct buf trace = BUF_INIT(100);
	struct note second = { &trace, &fake, "2", NULL, NULL };
	struct note first = { &trace, &fake, "1", NULL, NULL };
	char *got;

	(void)state;
	fake_host_init(&fake);
	fake.host.ops->timer(&fake, 0, on_note, &first);
	first.victim = fake.host.ops->timer(&fake, 0, on_note, &second);
	fake_host_settle(&fake, 5);
	got = text_of(&trace);
	WANT_TEXT("cancelled by its neighbour", got, "1");
	free(got);
	fake_host_free(&fake);
}

static void on_watch(unsigned events, void *arg)
{
	*(unsigned *)arg = events;
}

static void test_a_watch_tells_what_it_waits_for(void **state)
{
	struct fake_host fake;
	struct mum_watch *watch;
	unsigned got = 0;

	(void)state;
	fake_host_init(&fake);
	watch = fake.host.ops->watch(&fake, 7, MUM_READ, on_watch, &got);
	WANT("another descriptor", !fake_host_ready(&fake, 8, MUM_READ));
	WANT("another event", !fake_host_ready(&fake, 7, MUM_WRITE));
	WANT("the one", fake_host_ready(&fake, 7, MUM_READ | MUM_WRITE));
	WANT_NUMBER("only what was asked for", got, MUM_READ);
	host_unwatch(&fake.host, &watch);
	WANT("not after unwatch", !fake_host_ready(&fake, 7, MUM_READ));
	WANT_NUMBER("gone", fake_host_watches(&fake), 0);
	fake_host_free(&fake);
}

static void test_the_log_is_kept(void **state)
{
	struct fake_host fake;

	(void)state;
	fake_host_init(&fake);
	host_log(&fake.host, MUM_LOG_ERROR, "a %s line", "bad");
	host_log(&fake.host, MUM_LOG_INFO, "two\nlines\x7f");
	WANT_NUMBER("by level and text", fake_host_logged(&fake, MUM_LOG_ERROR, "bad"), 1);
	WANT_NUMBER("another level", fake_host_logged(&fake, MUM_LOG_INFO, "bad"), 0);
	WANT_NUMBER("one line stays one line",
		    fake_host_logged(&fake, MUM_LOG_INFO, "two\\x0alines\\x7f"), 1);
	fake_host_free(&fake);
}

static void test_a_long_log_line_is_cut(void **state)
{
	struct fake_host fake;
	char *text = unit_repeat("x", 5000);

	(void)state;
	fake_host_init(&fake);
	host_log(&fake.host, MUM_LOG_INFO, "%s", text);
	WANT("and says so", strcmp(fake.log[0].text + strlen(fake.log[0].text) - 3, "...") == 0);
	WANT("bounded", strlen(fake.log[0].text) < 4096);
	fake_host_free(&fake);
	free(text);
}

/* ---- store ---- */

struct got {
	unsigned calls;
	enum mum_status status;
	const struct facts *facts;
};

static void on_done(enum mum_status status, struct facts *facts, const char *reason,
		    void *arg)
{
	struct got *got = arg;

	(void)reason;
	got->calls++;
	got->status = status;
	got->facts = facts;
}

static struct facts *respond_empty(const struct question *question, void *arg)
{
	(void)arg;
	return question->kind == MUM_TLS ? NULL : facts_new(question->kind);
}

static struct question ask(enum question_kind kind)
{
	return (struct question){ kind, address_new(ADDRESS_MAIL, "a@b.example", 11, ""), 0 };
}

static void test_a_store_keeps_questions_until_answered(void **state)
{
	struct fake_host host;
	struct fake_store store;
	struct question question = ask(MUM_DELIVERY);
	struct got first = { 0 }, second = { 0 };
	struct store_request *withdrawn;
	struct facts *facts = facts_new(MUM_DELIVERY);

	(void)state;
	fake_host_init(&host);
	fake_store_init(&store, &host.host);
	store.store.ops->submit(&store.store, &question, on_done, &first);
	withdrawn = store.store.ops->submit(&store.store, &question, on_done, &second);
	WANT_NUMBER("both wait", fake_store_pending(&store), 2);
	WANT("the question is there", fake_store_question(&store, 1)->kind == MUM_DELIVERY);
	WANT("no third", fake_store_question(&store, 2) == NULL);
	fake_host_settle(&host, 5);
	WANT_NUMBER("nothing by itself", first.calls, 0);
	store.store.ops->withdraw(&store.store, withdrawn);
	fake_store_answer(&store, 0, MUM_FOUND, facts, NULL);
	WANT_NUMBER("answered once", first.calls, 1);
	WANT("with these facts", first.facts == facts);
	WANT_NUMBER("a withdrawn one never", second.calls, 0);
	WANT("nothing is left", fake_store_free(&store));
	facts_unref(&facts);
	address_unref(&question.address);
	fake_host_free(&host);
}

static void test_a_store_answers_from_the_next_turn(void **state)
{
	struct fake_host host;
	struct fake_store store;
	struct question found = ask(MUM_DELIVERY), fails = ask(MUM_TLS);
	struct got a = { 0 }, b = { .status = MUM_FOUND };

	(void)state;
	fake_host_init(&host);
	fake_store_init(&store, &host.host);
	fake_store_respond(&store, respond_empty, NULL);
	store.store.ops->submit(&store.store, &found, on_done, &a);
	store.store.ops->submit(&store.store, &fails, on_done, &b);
	WANT_NUMBER("not from inside", a.calls + b.calls, 0);
	fake_host_turn(&host);
	WANT_NUMBER("both in one turn", a.calls + b.calls, 2);
	WANT("facts are FOUND", a.status == MUM_FOUND);
	WANT("no facts are TEMPFAIL", b.status == MUM_TEMPFAIL);
	WANT("up unless told otherwise", store.store.up);
	WANT("nothing is left", fake_store_free(&store));
	address_unref(&found.address);
	address_unref(&fails.address);
	fake_host_free(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_timers_fire_in_order_and_only_when_due),
		UNIT_TEST(test_a_turn_ends),
		UNIT_TEST(test_a_cancelled_timer_never_fires),
		UNIT_TEST(test_a_watch_tells_what_it_waits_for),
		UNIT_TEST(test_the_log_is_kept),
		UNIT_TEST(test_a_long_log_line_is_cut),
		UNIT_TEST(test_a_store_keeps_questions_until_answered),
		UNIT_TEST(test_a_store_answers_from_the_next_turn),
	};

	return cmocka_run_group_tests_name("fakes", tests, NULL, NULL);
}
