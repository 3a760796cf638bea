/* SPDX-License-Identifier: MIT */
/* Which limit a login has, and the table of what each has sent. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "postfix-policy/send/table.h"

enum { SECOND = 1000000, MINUTE = 60 * SECOND };	/* us */

#define KEEP (60ULL * MINUTE)

static const char *const own[] = { "news@example.org 5000/1h 10000", "B@example.org 1/1m 2",
				   "b@EXAMPLE.org 3/1m 4", "domain.test 6/1m 7" };
static const char *const exempt[] = { "Shop@example.org", "@Lists.example.org",
				      "@bücher.test", "plain" };

/* One a second, five at once. */
static struct mum_config config = {
	.policy = { .send_rate = 60, .send_period = 60000, .send_burst = 5,
		    .send_limits = { ARRAY_LEN(own), own },
		    .send_exempt = { ARRAY_LEN(exempt), exempt } },
};

static void test_limits(void **state)
{
	static const struct {
		const char *login;
		unsigned burst;		/* 0: none */
	} rows[] = {
		{ "a@example.org", 5 },
		{ "news@example.org", 10000 },
		{ "News@Example.ORG", 10000 },
		{ "b@example.org", 2 },		/* the first entry counts */
		{ "xnews@example.org", 5 },
		{ "news@example.orgx", 5 },
		{ "shop@EXAMPLE.org", 0 },
		{ "a@lists.example.org", 0 },
		{ "A@LISTS.example.org", 0 },
		{ "a@sub.lists.example.org", 5 },
		{ "lists.example.org", 5 },
		{ "a@b@lists.example.org", 0 },
		{ "a@xn--bcher-kva.test", 0 },
		{ "plain", 0 },
		{ "PLAIN", 0 },
		{ "plain@example.org", 5 },
		{ "domain.test", 7 },
		{ "a@domain.test", 5 },
		{ "", 5 },
	};
	struct send_limits *limits = send_limits_new(&config);

	(void)state;
	FOR_EACH_ROW(row, rows) {
		char *login = send_login(row->login, strlen(row->login));
		const struct gcra *limit = send_limits_find(limits, login);

		WANT_NUMBER(row->login, limit != NULL ? limit->burst : 0, row->burst);
		free(login);
	}
	send_limits_free(&limits);
	WANT("set to NULL", limits == NULL);
	send_limits_free(&limits);
}

static void test_spellings(void **state)
{
	static const struct {
		const char *one, *other;
	} rows[] = {
		{ "alice@example.test", "alice@example.test" },
		{ "ALICE@Example.Test", "alice@example.test" },
		{ "J\xc3\x96RG@example.test", "j\xc3\xb6rg@example.test" },
		{ "jo\xcc\x88rg@example.test", "j\xc3\xb6rg@example.test" },
		{ "uwe@b\xc3\xbc" "cher.test", "uwe@xn--bcher-kva.test" },
		/* Bytes that are no text are still one name, on one line. */
		{ "a\xff@b.test", "a\\xff@b.test" },
		{ "a\tb@c.test", "a\\x09b@c.test" },
		{ "", "-" },
	};
	char *name, *as = unit_repeat("a", 3000);

	(void)state;
	FOR_EACH_ROW(row, rows) {
		name = send_login(row->one, strlen(row->one));
		WANT_TEXT(row->one, name, row->other);
		free(name);
	}
	name = send_login(as, 3000);
	WANT("it is short", strlen(name) < SEND_LOGIN_SIZE);
	free(name);
	free(as);
}

/* Made with room for max entries. */
static struct send_table *make(size_t max)
{
	struct send_table *table = send_table_new();
	struct send_limits *limits = send_limits_new(&config);

	send_table_configure(table, &limits, max, KEEP, 0);
	WANT("taken over", limits == NULL);
	return table;
}

static bool take(struct send_table *table, const char *login, uint64_t n, uint64_t now)
{
	return send_table_take(table, send_table_get(table, login, now, 1234), n, now);
}

static void test_taking(void **state)
{
	struct send_table *table = make(10);
	const struct send_entry *entry;

	(void)state;
	WANT("nobody yet", send_table_find(table, "a@b.test") == NULL);
	WANT("three", take(table, "a@b.test", 3, MINUTE));
	WANT("not three more", !take(table, "a@b.test", 3, MINUTE));
	WANT("two more", take(table, "a@b.test", 2, MINUTE));
	WANT("others are not in the way", take(table, "b@b.test", 5, MINUTE));
	WANT_NUMBER("two are at their limit", send_table_limited(table, MINUTE), 2);
	WANT_NUMBER("for a second", send_table_limited(table, MINUTE + SECOND), 0);
	entry = send_table_find(table, "a@b.test");
	WANT_NUMBER("what was refused is not sent", entry->sent, 5);
	WANT_NUMBER("since", entry->since, 1234);
	WANT_NUMBER("left", send_entry_left(entry, MINUTE + 2 * SECOND), 2);
	WANT("an exempt login takes any number", take(table, "plain", 1000000, MINUTE));
	WANT_NUMBER("and has no end", send_entry_left(send_table_find(table, "plain"), MINUTE),
		    UINT64_MAX);
	send_table_sweep(table, MINUTE + 5 * SECOND + KEEP - 1);
	WANT_NUMBER("drained, and still there for people", send_table_count(table), 2);
	send_table_sweep(table, MINUTE + 5 * SECOND + KEEP);
	WANT_NUMBER("dropped", send_table_count(table), 0);
	WANT_NUMBER("that is not for want of room", send_table_evicted(table), 0);
	send_table_free(&table);
	WANT("set to NULL", table == NULL);
	send_table_free(&table);
}

static void test_the_first_to_drain_makes_room(void **state)
{
	struct send_table *table = make(3);

	(void)state;
	take(table, "c@b.test", 3, 0);
	take(table, "a@b.test", 1, 0);
	take(table, "b@b.test", 2, 0);
	take(table, "d@b.test", 4, 0);
	WANT_NUMBER("no more than there may be", send_table_count(table), 3);
	WANT("gone", send_table_find(table, "a@b.test") == NULL);
	WANT_NUMBER("counted", send_table_evicted(table), 1);
	WANT("more of one", take(table, "b@b.test", 3, 0));
	take(table, "e@b.test", 1, 4 * SECOND);
	WANT("the next to drain", send_table_find(table, "c@b.test") == NULL);
	WANT("not the one that sent again", send_table_find(table, "b@b.test") != NULL);
	WANT_NUMBER("it had drained", send_table_evicted(table), 1);
	send_table_free(&table);
}

/* A reload: entries stay, and nobody waits longer than under the new limits. */
static void test_configured_again(void **state)
{
	struct mum_config next = config;
	struct send_table *table = make(10);
	struct send_limits *limits;

	(void)state;
	take(table, "a@b.test", 5, MINUTE);
	take(table, "b@b.test", 1, MINUTE);
	take(table, "news@example.org", 9000, MINUTE);
	next.policy.send_limits.count = 0;
	next.policy.send_burst = 2;
	limits = send_limits_new(&next);
	send_table_configure(table, &limits, 2, KEEP, MINUTE);
	WANT_NUMBER("one went", send_table_count(table), 2);
	WANT("the first to drain", send_table_find(table, "b@b.test") == NULL);
	WANT_NUMBER("at the new limit", send_table_limited(table, MINUTE), 2);
	WANT_NUMBER("free again when that drains",
		    send_entry_left(send_table_find(table, "news@example.org"),
				    MINUTE + 2 * SECOND), 2);
	limits = send_limits_new(&config);
	send_table_configure(table, &limits, 2, KEEP, MINUTE);
	WANT_NUMBER("a larger burst counts at once",
		    send_entry_left(send_table_find(table, "a@b.test"), MINUTE), 3);
	send_table_free(&table);
}

/* ---- against a list that is searched ---- */

enum { MAX = 4, LOGINS = 7, STEPS = 20000 };

struct model {
	uint64_t tat[LOGINS];
	bool there[LOGINS];
};

static size_t model_count(const struct model *model)
{
	size_t count = 0;

	for (int i = 0; i < LOGINS; i++)
		count += model->there[i];
	return count;
}

static void model_take(struct model *model, int login, uint64_t n, uint64_t now)
{
	const struct gcra gcra = gcra_new(60, 60000, 5);

	for (int i = 0; i < LOGINS; i++)
		model->there[i] = model->there[i] && model->tat[i] + KEEP > now;
	if (!model->there[login]) {
		while (model_count(model) >= MAX) {
			int oldest = -1;

			for (int i = 0; i < LOGINS; i++) {
				if (model->there[i] &&
				    (oldest < 0 || model->tat[i] < model->tat[oldest]))
					oldest = i;
			}
			model->there[oldest] = false;
		}
		model->there[login] = true;
		model->tat[login] = now;
	}
	gcra_take(&gcra, now, n, &model->tat[login]);
}

static void test_as_a_list(void **state)
{
	static const char *const names[LOGINS] = { "a@x", "b@x", "c@x", "d@x", "e@x", "f@x",
						   "g@x" };
	struct send_table *table = make(MAX);
	struct model model = { .tat = { 0 } };
	uint64_t now = 0;
	unsigned dice = 1;

	(void)state;
	for (int step = 0; step < STEPS; step++) {
		int login;

		dice = dice * 1103515245 + 12345;
		/* No two TATs are equal: else it would be open which entry goes. */
		now += 1 + (dice >> 16) % 700003;
		if (step % 1000 == 999)
			now += KEEP;
		login = (int)((dice >> 8) % LOGINS);
		take(table, names[login], (dice >> 20) % 4, now);
		model_take(&model, login, (dice >> 20) % 4, now);
		for (int i = 0; i < LOGINS; i++) {
			const struct send_entry *entry = send_table_find(table, names[i]);

			WANT_NUMBER(names[i], entry != NULL, model.there[i]);
			if (entry != NULL && model.there[i])
				WANT_NUMBER(names[i], entry->tat, model.tat[i]);
		}
	}
	send_table_free(&table);
}

static void test_a_flood_of_logins(void **state)
{
	struct send_table *table = make(1000);
	char login[32];

	(void)state;
	take(table, "worst@b.test", 5, 0);
	for (unsigned i = 0; i < 100000; i++) {
		snprintf(login, sizeof(login), "%u@b.test", i);
		take(table, login, 1, i);
	}
	WANT_NUMBER("bounded", send_table_count(table), 1000);
	WANT_NUMBER("counted", send_table_evicted(table), 100001 - 1000);
	WANT("who sent most is not forgotten", send_table_find(table, "worst@b.test") != NULL);
	send_table_free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_limits),
		UNIT_TEST(test_spellings),
		UNIT_TEST(test_taking),
		UNIT_TEST(test_the_first_to_drain_makes_room),
		UNIT_TEST(test_configured_again),
		UNIT_TEST(test_as_a_list),
		UNIT_TEST(test_a_flood_of_logins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
