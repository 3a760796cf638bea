/* SPDX-License-Identifier: MIT */
/* Questions in front of connections that may fail: who is asked next, and how it ends. */
#include "tests/unit/unit.h"

#include "common/store-mariadb/backlog.h"
#include "tests/fakes/fake-host.h"

enum { QUESTIONS = 100 };

static const struct conn_error lost = { ERROR_LOST, false, 2013, "lost" };
static const struct conn_error slow = { ERROR_SLOW, false, 1205, "a lock" };
static const struct conn_error misconfigured = { ERROR_MISCONFIGURED, false, 1146, "no table" };

static struct fake_host host;
static struct backlog backlog;
static struct batch batch;
static enum mum_status statuses[QUESTIONS];	/* of the answers, in their order */
static size_t answered;

static void begin(void)
{
	fake_host_init(&host);
	backlog = (struct backlog){ .log.host = &host.host };
	answered = 0;
}

static void end(void)
{
	for (int i = 0; i < MUM_QUESTIONS; i++) {
		while (backlog.queues[i].head != NULL)
			request_free(backlog.queues[i].head);
	}
	fake_host_free(&host);
}

static void on_answer(enum mum_status status, struct facts *facts, const char *reason, void *arg)
{
	(void)facts;
	(void)arg;
	WANT("a reason", reason != NULL);
	statuses[answered++] = status;
}

/* Returns its number, so that the test knows it again. */
static uint64_t add(enum question_kind kind)
{
	const struct question question = { .kind = kind };

	return backlog_add(&backlog, &question, on_answer, NULL)->number;
}

static void drop_batch(void)
{
	for (size_t i = 0; i < batch.count; i++)
		request_free(batch.requests[i]);
}

/* What waits longest comes first, whatever its kind, unless its kind is barred. */
static void test_the_longest_waiting_kind_is_next(void **state)
{
	(void)state;
	begin();
	add(MUM_TLS);
	add(MUM_DOMAIN);
	add(MUM_TLS);
	WANT("one waits", backlog_waits(&backlog));
	WANT("TLS is barred", backlog_next(&backlog, MUM_ASK(MUM_TLS), 1, &batch));
	WANT_NUMBER("the other kind", batch.kind, MUM_DOMAIN);
	drop_batch();
	WANT("nothing else", !backlog_next(&backlog, MUM_ASK(MUM_TLS), 1, &batch));
	add(MUM_DOMAIN);
	WANT("both of TLS", backlog_next(&backlog, 0, 1, &batch) && batch.count == 2);
	WANT("in their order", batch.requests[0]->number == 0 && batch.requests[1]->number == 2);
	drop_batch();
	backlog_next(&backlog, 0, 1, &batch);
	drop_batch();
	WANT("nobody waits", !backlog_waits(&backlog));
	end();
}

static void test_a_share_for_each_connection(void **state)
{
	static const struct {
		const char *name;
		enum question_kind kind;
		size_t waiting, idle, want;
	} rows[] = {
		{ "alone", MUM_DOMAIN, 1, 1, 1 },
		{ "all for one", MUM_DOMAIN, 5, 1, 5 },
		{ "half each", MUM_DOMAIN, 6, 2, 3 },
		{ "the odd one", MUM_DOMAIN, 5, 2, 3 },
		{ "more connections than questions", MUM_DOMAIN, 2, 4, 1 },
		{ "at the limit", MUM_DOMAIN, BATCH_MAX, 1, BATCH_MAX },
		{ "over the limit", MUM_DOMAIN, BATCH_MAX + 1, 1, BATCH_MAX },
		{ "pages one by one", MUM_USERS, 3, 1, 1 },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		begin();
		for (size_t i = 0; i < row->waiting; i++)
			add(row->kind);
		WANT(row->name, backlog_next(&backlog, 0, row->idle, &batch));
		WANT_NUMBER(row->name, batch.count, row->want);
		drop_batch();
		end();
	}
}

static void test_what_failed_is_asked_again_alone_and_first(void **state)
{
	(void)state;
	begin();
	for (int i = 0; i < 3; i++)
		add(MUM_DOMAIN);
	backlog_next(&backlog, 0, 1, &batch);
	add(MUM_DOMAIN);
	backlog_failed(&backlog, &batch, "db", &lost, false);
	for (uint64_t i = 0; i < 3; i++) {
		WANT("alone", backlog_next(&backlog, 0, 1, &batch) && batch.count == 1);
		WANT_NUMBER("in their order", batch.requests[0]->number, i);
		drop_batch();
	}
	WANT("then the others", backlog_next(&backlog, 0, 1, &batch) && batch.count == 1);
	WANT_NUMBER("which came later", batch.requests[0]->number, 3);
	drop_batch();
	backlog_deliver(&backlog);
	WANT_NUMBER("no answer yet", answered, 0);
	end();
}

/* An innocent question shares no statement with one that may be to blame. */
static void test_who_may_be_to_blame_joins_nobody(void **state)
{
	struct batch other;

	(void)state;
	begin();
	add(MUM_DOMAIN);
	backlog_next(&backlog, 0, 1, &batch);
	add(MUM_DOMAIN);
	backlog_next(&backlog, 0, 1, &other);
	backlog_failed(&backlog, &batch, "db", &lost, false);
	backlog_failed(&backlog, &other, "db", &lost, true);
	WANT("alone", backlog_next(&backlog, 0, 1, &batch) && batch.count == 1);
	drop_batch();
	WANT("the other, too", backlog_next(&backlog, 0, 1, &batch) && batch.count == 1);
	drop_batch();
	end();
}

/* How many failures until there is an answer; 0: there is none. */
static size_t fail_until_answered(const struct conn_error *error, bool innocent)
{
	for (size_t tries = 1; tries <= 20; tries++) {
		if (!backlog_next(&backlog, 0, 1, &batch))
			return 0;
		backlog_failed(&backlog, &batch, "db", error, innocent);
		backlog_deliver(&backlog);
		if (answered > 0)
			return tries;
	}
	return 0;
}

static void test_how_often_it_is_tried(void **state)
{
	static const struct {
		const char *name;
		const struct conn_error *error;
		bool innocent;
		size_t want_tries;
		enum mum_status want;
		const char *want_line;
	} rows[] = {
		{ "lost", &lost, false, 5, MUM_TEMPFAIL, "tried in vain" },
		{ "slow", &slow, false, 5, MUM_TEMPFAIL, "locked table" },
		{ "misconfigured", &misconfigured, false, 1, MUM_MISCONFIGURED, "grants" },
		{ "killed while idle", &lost, true, 0, MUM_TEMPFAIL, NULL },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		begin();
		add(MUM_DOMAIN);
		WANT_NUMBER(row->name, fail_until_answered(row->error, row->innocent),
			    row->want_tries);
		if (row->want_tries > 0)
			WANT_NUMBER(row->name, statuses[0], row->want);
		WANT_NUMBER(row->name,
			    fake_host_logged(&host, MUM_LOG_WARNING, "database: ") +
				    fake_host_logged(&host, MUM_LOG_ERROR, "database: "),
			    row->want_line != NULL);
		if (row->want_line != NULL)
			WANT(row->name,
			     fake_host_logged(&host, MUM_LOG_WARNING, row->want_line) +
				     fake_host_logged(&host, MUM_LOG_ERROR, row->want_line) == 1);
		end();
	}
}

static void test_who_was_withdrawn_is_left_out(void **state)
{
	(void)state;
	begin();
	add(MUM_DOMAIN);
	add(MUM_DOMAIN);
	backlog_next(&backlog, 0, 1, &batch);
	for (size_t i = 0; i < 2; i++) {
		struct store_request *request = batch.requests[i];

		batch_remove(&batch, request);
		request_free(request);
	}
	backlog_failed(&backlog, &batch, "db", &misconfigured, false);
	backlog_deliver(&backlog);
	WANT_NUMBER("no answer", answered, 0);
	WANT("nobody waits", !backlog_waits(&backlog));
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_the_longest_waiting_kind_is_next),
		UNIT_TEST(test_a_share_for_each_connection),
		UNIT_TEST(test_what_failed_is_asked_again_alone_and_first),
		UNIT_TEST(test_who_may_be_to_blame_joins_nobody),
		UNIT_TEST(test_how_often_it_is_tried),
		UNIT_TEST(test_who_was_withdrawn_is_left_out),
	};

	return cmocka_run_group_tests_name("backlog", tests, NULL, NULL);
}
