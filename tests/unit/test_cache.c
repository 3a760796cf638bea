/* SPDX-License-Identifier: MIT */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "common/cache.h"

/* Puts facts that only the cache owns; the pointer is only for comparing. */
static const struct facts *put(struct cache *cache, enum question_kind kind,
			       const char *key, uint64_t now_ms)
{
	struct facts *facts = facts_new(kind);
	const struct facts *same = facts;

	cache_put(cache, kind, key, facts, now_ms);
	facts_unref(&facts);
	return same;
}

static const struct facts *get(struct cache *cache, const char *key)
{
	uint64_t age;

	return cache_get(cache, MUM_DELIVERY, key, 0, &age);
}

static void test_by_question_and_key(void **state)
{
	struct cache *cache = cache_new(10);
	const struct facts *mailbox = put(cache, MUM_DELIVERY, "a@b", 0);
	const struct facts *owners = put(cache, MUM_OWNERS, "a@b", 0);
	uint64_t age;

	(void)state;
	WANT("one question", cache_get(cache, MUM_DELIVERY, "a@b", 0, &age) == mailbox);
	WANT("the other", cache_get(cache, MUM_OWNERS, "a@b", 0, &age) == owners);
	WANT("a third", cache_get(cache, MUM_TLS, "a@b", 0, &age) == NULL);
	WANT("a part of the key", get(cache, "a@") == NULL);
	WANT("a longer key", get(cache, "a@bc") == NULL);
	WANT("an empty key", get(cache, "") == NULL);
	put(cache, MUM_DELIVERY, "", 0);
	WANT("which may be put", get(cache, "") != NULL);
	WANT_NUMBER("three in all", cache_count(cache), 3);
	cache_free(&cache);
	WANT("set to NULL", cache == NULL);
	cache_free(&cache);
}

static void test_ages(void **state)
{
	static const struct {
		const char *name;
		uint64_t put_ms, get_ms, want;
	} rows[] = {
		{ "at once", 1000, 1000, 0 },
		{ "a millisecond", 1000, 1001, 1 },
		{ "more than 32 bits", 1000, 5000001000, 5000000000 },
	};

	(void)state;
	FOR_EACH_ROW(row, rows) {
		struct cache *cache = cache_new(1);
		uint64_t age = 99;

		put(cache, MUM_DELIVERY, "k", row->put_ms);
		WANT(row->name, cache_get(cache, MUM_DELIVERY, "k", row->get_ms, &age) != NULL);
		WANT_NUMBER(row->name, age, row->want);
		cache_free(&cache);
	}
}

static void test_replacement_is_younger(void **state)
{
	struct cache *cache = cache_new(10);
	const struct facts *second;
	uint64_t age = 0;

	(void)state;
	put(cache, MUM_DELIVERY, "k", 0);
	second = put(cache, MUM_DELIVERY, "k", 500);
	WANT("the new facts", cache_get(cache, MUM_DELIVERY, "k", 600, &age) == second);
	WANT_NUMBER("with their own age", age, 100);
	WANT_NUMBER("in the old one's place", cache_count(cache), 1);
	cache_free(&cache);
}

static void test_a_reader_does_not_make_facts_younger(void **state)
{
	struct cache *cache = cache_new(10);
	uint64_t age = 0;

	(void)state;
	put(cache, MUM_DELIVERY, "k", 0);
	cache_get(cache, MUM_DELIVERY, "k", 400, &age);
	cache_get(cache, MUM_DELIVERY, "k", 900, &age);
	WANT_NUMBER("since it was put", age, 900);
	cache_free(&cache);
}

static void test_what_nobody_uses_goes_first(void **state)
{
	struct cache *cache = cache_new(3);

	(void)state;
	put(cache, MUM_DELIVERY, "a", 0);
	put(cache, MUM_DELIVERY, "b", 0);
	put(cache, MUM_DELIVERY, "c", 0);
	WANT_NUMBER("at the limit", cache_count(cache), 3);
	WANT("a is used", get(cache, "a") != NULL);
	put(cache, MUM_DELIVERY, "b", 0);	/* b is the youngest now */
	put(cache, MUM_DELIVERY, "d", 0);
	WANT_NUMBER("one above the limit", cache_count(cache), 3);
	WANT("c is gone", get(cache, "c") == NULL);
	WANT("a stays", get(cache, "a") != NULL);
	WANT("b stays", get(cache, "b") != NULL);
	WANT("d is there", get(cache, "d") != NULL);
	cache_free(&cache);
}

/* Puts facts with count rows, which nobody reads here. */
static void put_rows(struct cache *cache, const char *key, size_t count)
{
	struct facts *facts = facts_new(MUM_DELIVERY);

	facts->count = count;
	cache_put(cache, MUM_DELIVERY, key, facts, 0);
	facts_unref(&facts);
}

static void test_use_counts_for_one_turn(void **state)
{
	struct cache *cache = cache_new(2);

	(void)state;
	put(cache, MUM_DELIVERY, "a", 0);
	WANT("a is used", get(cache, "a") != NULL);
	put(cache, MUM_DELIVERY, "b", 0);
	put(cache, MUM_DELIVERY, "c", 0);
	put(cache, MUM_DELIVERY, "d", 0);
	WANT("b went first", get(cache, "b") == NULL);
	WANT("a went next", get(cache, "a") == NULL);
	WANT_NUMBER("two", cache_count(cache), 2);
	cache_free(&cache);
}

/* One put must not walk a cache in which all entries are used. */
static void test_one_put_spares_so_many_and_no_more(void **state)
{
	enum { SIZE = 500, SPARED = 100, ROWS = 50 };
	struct cache *cache = cache_new(SIZE);
	char key[] = "000";
	size_t left = 0;

	(void)state;
	for (int i = 0; i < SIZE; i++) {
		snprintf(key, sizeof(key), "%03d", i);
		put(cache, MUM_DELIVERY, key, 0);
		WANT("is used", get(cache, key) != NULL);
	}
	put_rows(cache, "many rows", ROWS);
	for (int i = 0; i < SIZE; i++) {
		bool goes = i >= SPARED && i < SPARED + ROWS;

		snprintf(key, sizeof(key), "%03d", i);
		left += get(cache, key) != NULL;
		WANT(key, (get(cache, key) == NULL) == goes);
	}
	WANT_NUMBER("the others stay", left, SIZE - ROWS);
	WANT("it is there", get(cache, "many rows") != NULL);
	cache_free(&cache);
}

static void test_replacing_in_a_full_cache_drops_nobody(void **state)
{
	struct cache *cache = cache_new(2);

	(void)state;
	put(cache, MUM_DELIVERY, "a", 0);
	put(cache, MUM_DELIVERY, "b", 0);
	put(cache, MUM_DELIVERY, "b", 0);
	WANT("a stays", get(cache, "a") != NULL);
	WANT_NUMBER("two", cache_count(cache), 2);
	cache_free(&cache);
}

static void test_facts_weigh_their_rows(void **state)
{
	struct cache *cache = cache_new(20);

	(void)state;
	for (const char *key = "abcdefghijklmnop"; *key != '\0'; key++)
		put(cache, MUM_DELIVERY, key, 0);
	put_rows(cache, "4 rows", 4);
	WANT_NUMBER("full", cache_count(cache), 17);
	put_rows(cache, "5 rows", 5);
	WANT_NUMBER("five for one", cache_count(cache), 13);
	WANT("which is there", get(cache, "5 rows") != NULL);
	put_rows(cache, "6 rows", 6);
	WANT("more than a quarter", get(cache, "6 rows") == NULL);
	WANT_NUMBER("drops nobody", cache_count(cache), 13);
	put_rows(cache, "4 rows", 6);
	WANT("what it replaces is outdated", get(cache, "4 rows") == NULL);
	put_rows(cache, "5 rows", 1);
	for (size_t n = 0; n < 8; n++)
		put_rows(cache, (const char *[]){ "1", "2", "3", "4", "5", "6", "7", "8" }[n], 1);
	WANT_NUMBER("their room is free again", cache_count(cache), 20);
	cache_free(&cache);
}

static void test_sizes(void **state)
{
	struct cache *none = cache_new(0), *one = cache_new(1);

	(void)state;
	put(none, MUM_DELIVERY, "a", 0);
	WANT_NUMBER("no entries", cache_count(none), 0);
	WANT("nothing to get", get(none, "a") == NULL);
	put(one, MUM_DELIVERY, "a", 0);
	put(one, MUM_DELIVERY, "b", 0);
	WANT("one entry is the last", get(one, "a") == NULL && get(one, "b") != NULL);
	cache_free(&none);
	cache_free(&one);
}

static void test_many_and_long_keys(void **state)
{
	enum { MANY = 3000, KEPT = 1000 };
	struct cache *cache = cache_new(KEPT);
	char key[MANY + 1];

	(void)state;
	/* "x", "xx", "xxx"...: each is a part of the next. */
	memset(key, 'x', MANY);
	key[MANY] = '\0';
	for (size_t len = 1; len <= MANY; len++)
		put(cache, MUM_DELIVERY, key + MANY - len, 0);
	WANT_NUMBER("bounded", cache_count(cache), KEPT);
	WANT("the oldest that is left", get(cache, key + KEPT - 1) != NULL);
	WANT("the youngest that is gone", get(cache, key + KEPT) == NULL);
	cache_free(&cache);
}

static void test_facts_outlive_their_entry(void **state)
{
	struct cache *cache = cache_new(1);
	struct facts *facts = facts_new(MUM_DELIVERY);

	(void)state;
	cache_put(cache, MUM_DELIVERY, "a", facts, 0);
	WANT_NUMBER("the cache has its own reference", facts->refs, 2);
	cache_put(cache, MUM_DELIVERY, "a", facts, 0);
	WANT_NUMBER("replaced by itself", facts->refs, 2);
	put(cache, MUM_DELIVERY, "b", 0);
	WANT_NUMBER("evicted", facts->refs, 1);
	facts_unref(&facts);
	cache_free(&cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_by_question_and_key),
		UNIT_TEST(test_ages),
		UNIT_TEST(test_replacement_is_younger),
		UNIT_TEST(test_a_reader_does_not_make_facts_younger),
		UNIT_TEST(test_what_nobody_uses_goes_first),
		UNIT_TEST(test_use_counts_for_one_turn),
		UNIT_TEST(test_one_put_spares_so_many_and_no_more),
		UNIT_TEST(test_replacing_in_a_full_cache_drops_nobody),
		UNIT_TEST(test_facts_weigh_their_rows),
		UNIT_TEST(test_sizes),
		UNIT_TEST(test_many_and_long_keys),
		UNIT_TEST(test_facts_outlive_their_entry),
	};

	return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
