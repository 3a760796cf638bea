/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "postfix-policy/quota/rooms.h"

enum { NOW = 1000, TTL = 1000, UNTIL = NOW + TTL, RENEWAL = 250, MANY = 20000 };

static void test_what_it_knows(void **state)
{
	static const struct {
		const char *name, *mailbox;
		uint64_t size, now;
		bool want;
	} rows[] = {
		{ "the same", "anna@a", 100, NOW, true },
		{ "a smaller mail", "anna@a", 0, NOW, true },
		{ "a larger one", "anna@a", 101, NOW, false },
		{ "the last moment", "anna@a", 100, UNTIL - 1, true },
		{ "too late", "anna@a", 100, UNTIL + RENEWAL, false },
		{ "somebody else", "bob@a", 0, NOW, false },
		{ "another spelling", "Anna@a", 0, NOW, false },
	};
	struct quota_rooms *rooms = quota_rooms_new(TTL);

	(void)state;
	quota_rooms_note(rooms, "anna@a", 100, QUOTA_ROOM, NOW);
	FOR_EACH_ROW(row, rows)
		WANT(row->name,
		     quota_rooms_has(rooms, row->mailbox, row->size, row->now) == row->want);
	quota_rooms_free(&rooms);
}

static void test_the_last_answer_counts(void **state)
{
	struct quota_rooms *rooms = quota_rooms_new(TTL);

	(void)state;
	quota_rooms_note(rooms, "anna@a", 100, QUOTA_ROOM, 1);
	quota_rooms_note(rooms, "anna@a", 50, QUOTA_ROOM, NOW);
	WANT("later", quota_rooms_has(rooms, "anna@a", 50, UNTIL - 1));
	WANT("not more than was asked", !quota_rooms_has(rooms, "anna@a", 100, NOW));
	quota_rooms_free(&rooms);
}

static void test_full_ends_it(void **state)
{
	struct quota_rooms *rooms = quota_rooms_new(TTL);

	(void)state;
	quota_rooms_note(rooms, "anna@a", 100, QUOTA_ROOM, NOW);
	quota_rooms_note(rooms, "bob@a", 0, QUOTA_FULL, NOW);
	WANT("another one", quota_rooms_has(rooms, "anna@a", 0, NOW));
	quota_rooms_note(rooms, "anna@a", 0, QUOTA_FULL, NOW);
	WANT("forgotten", !quota_rooms_has(rooms, "anna@a", 0, NOW));
	WANT("by everybody", !quota_rooms_has(rooms, "anna@a", 0, NOW));
	quota_rooms_free(&rooms);
}

/* When the time is over, many may ask at once. */
static void test_one_asks_anew(void **state)
{
	struct quota_rooms *rooms = quota_rooms_new(TTL);

	(void)state;
	quota_rooms_note(rooms, "anna@a", 100, QUOTA_ROOM, NOW);
	WANT("the first asks", !quota_rooms_has(rooms, "anna@a", 0, UNTIL));
	WANT("the others do not", quota_rooms_has(rooms, "anna@a", 0, UNTIL + 1));
	WANT("but for a larger mail", !quota_rooms_has(rooms, "anna@a", 101, UNTIL + 1));
	WANT("nor for long", !quota_rooms_has(rooms, "anna@a", 0, UNTIL + RENEWAL));
	quota_rooms_note(rooms, "anna@a", 100, QUOTA_ROOM, NOW);
	WANT("later everybody asks", !quota_rooms_has(rooms, "anna@a", 0, UNTIL + RENEWAL));
	WANT("each", !quota_rooms_has(rooms, "anna@a", 0, UNTIL + RENEWAL + 1));
	quota_rooms_free(&rooms);
}

static void test_other_answers_say_nothing(void **state)
{
	static const enum quota_answer rows[] = { QUOTA_NO_ANSWER, QUOTA_TROUBLE, QUOTA_UNKNOWN };
	struct quota_rooms *rooms = quota_rooms_new(TTL);

	(void)state;
	FOR_EACH_ROW(row, rows) {
		quota_rooms_note(rooms, "bob@a", 0, *row, NOW);
		WANT("no room", !quota_rooms_has(rooms, "bob@a", 0, NOW));
		quota_rooms_note(rooms, "anna@a", 0, QUOTA_ROOM, NOW);
		quota_rooms_note(rooms, "anna@a", 0, *row, NOW);
		WANT("room as before", quota_rooms_has(rooms, "anna@a", 0, NOW));
	}
	quota_rooms_free(&rooms);
}

static void test_without_a_time_it_knows_nothing(void **state)
{
	struct quota_rooms *rooms = quota_rooms_new(0);

	(void)state;
	quota_rooms_note(rooms, "anna@a", 0, QUOTA_ROOM, NOW);
	WANT("no", !quota_rooms_has(rooms, "anna@a", 0, NOW));
	WANT("nor the second time", !quota_rooms_has(rooms, "anna@a", 0, NOW));
	quota_rooms_free(&rooms);
}

/* Notes so many mailboxes, one after the other, and says how many are known then. */
static size_t known_of(int mailboxes)
{
	struct quota_rooms *rooms = quota_rooms_new(TTL);
	char name[32];
	size_t known = 0;

	for (int i = 0; i < mailboxes; i++) {
		snprintf(name, sizeof(name), "user%d@a", i);
		quota_rooms_note(rooms, name, 0, QUOTA_ROOM, NOW);
		WANT("the last one is there", quota_rooms_has(rooms, name, 0, NOW));
	}
	for (int i = 0; i < mailboxes; i++) {
		snprintf(name, sizeof(name), "user%d@a", i);
		known += quota_rooms_has(rooms, name, 0, NOW);
	}
	quota_rooms_free(&rooms);
	return known;
}

/* Where each had one place alone, every ninth would have lost it to another. */
static void test_a_thousand_do_not_push_each_other_out(void **state)
{
	(void)state;
	WANT("nearly all are there", known_of(1000) > 970);
}

static void test_it_does_not_grow(void **state)
{
	size_t known = known_of(MANY);

	(void)state;
	WANT("some are there", known > 1000 && known <= 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_what_it_knows),
		UNIT_TEST(test_the_last_answer_counts),
		UNIT_TEST(test_full_ends_it),
		UNIT_TEST(test_one_asks_anew),
		UNIT_TEST(test_other_answers_say_nothing),
		UNIT_TEST(test_without_a_time_it_knows_nothing),
		UNIT_TEST(test_a_thousand_do_not_push_each_other_out),
		UNIT_TEST(test_it_does_not_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
