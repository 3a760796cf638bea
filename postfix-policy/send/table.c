/* SPDX-License-Identifier: MIT */
#include "postfix-policy/send/table.h"

#include <stdlib.h>
#include <string.h>

#include "common/keyed-hash.h"
#include "common/xalloc.h"

struct slot {
	struct send_entry entry;
	UT_hash_handle hh;
	size_t place;		/* in the heap */
	char login[];
};

struct send_table {
	struct send_limits *limits;
	size_t max;
	uint64_t keep;
	struct slot *by_login;
	struct slot **heap;	/* the oldest TAT first: no parent is later than its children */
	size_t count, size;	/* slots in the heap; room for */
	uint64_t evicted;
	struct keyed_hash hash;
};

struct send_table *send_table_new(void)
{
	struct send_table *table = xcalloc(1, sizeof(*table));

	keyed_hash_init(&table->hash);
	return table;
}

/* Each entry is the first member of its slot. */
static struct slot *slot_of(struct send_entry *entry)
{
	return (struct slot *)entry;
}

/* ---- the heap ---- */

static void put(struct send_table *table, size_t place, struct slot *slot)
{
	table->heap[place] = slot;
	slot->place = place;
}

static void move_up(struct send_table *table, struct slot *slot)
{
	size_t place = slot->place;

	while (place > 0) {
		struct slot *parent = table->heap[(place - 1) / 2];

		if (parent->entry.tat <= slot->entry.tat)
			break;
		put(table, place, parent);
		place = (place - 1) / 2;
	}
	put(table, place, slot);
}

static void move_down(struct send_table *table, struct slot *slot)
{
	size_t place = slot->place;

	for (size_t child; (child = 2 * place + 1) < table->count; place = child) {
		if (child + 1 < table->count &&
		    table->heap[child + 1]->entry.tat < table->heap[child]->entry.tat)
			child++;
		if (slot->entry.tat <= table->heap[child]->entry.tat)
			break;
		put(table, place, table->heap[child]);
	}
	put(table, place, slot);
}

static void settle(struct send_table *table, struct slot *slot)
{
	move_up(table, slot);
	move_down(table, slot);
}

static void drop_oldest(struct send_table *table)
{
	struct slot *oldest = table->heap[0], *last = table->heap[--table->count];

	if (table->count > 0) {
		put(table, 0, last);
		move_down(table, last);
	}
	HASH_DELETE(hh, table->by_login, oldest);
	free(oldest);
}

/* ---- entries ---- */

void send_table_free(struct send_table **_table)
{
	struct send_table *table = *_table;

	*_table = NULL;
	if (table == NULL)
		return;
	while (table->count > 0)
		drop_oldest(table);
	send_limits_free(&table->limits);
	free(table->heap);
	free(table);
}

static void make_room(struct send_table *table, size_t max, uint64_t now)
{
	send_table_sweep(table, now);
	while (table->count > max) {
		table->evicted += table->heap[0]->entry.tat > now;
		drop_oldest(table);
	}
}

static void change_limit(const struct send_table *table, struct send_entry *entry, uint64_t now)
{
	const struct gcra *before = entry->limit;

	entry->limit = send_limits_find(table->limits, entry->login);
	if (before != NULL && entry->limit != NULL)
		entry->tat = gcra_convert(before, entry->limit, now, entry->tat);
	else if (entry->tat > now)
		entry->tat = now;
}

void send_table_configure(struct send_table *table, struct send_limits **limits, size_t max,
			  uint64_t keep, uint64_t now)
{
	struct send_limits *before = table->limits;

	table->limits = *limits;
	*limits = NULL;
	table->max = max;
	table->keep = keep;
	for (size_t i = table->count; i-- > 0;) {
		change_limit(table, &table->heap[i]->entry, now);
		/* From the end: what is below is in order already. */
		move_down(table, table->heap[i]);
	}
	send_limits_free(&before);
	make_room(table, max, now);
}

static struct slot *find(struct send_table *table, const char *login, unsigned *hash_r)
{
	size_t len = strlen(login);
	struct slot *slot;

	*hash_r = keyed_hash(&table->hash, login, len);
	HASH_FIND_BYHASHVALUE(hh, table->by_login, login, len, *hash_r, slot);
	return slot;
}

struct send_entry *send_table_find(struct send_table *table, const char *login)
{
	unsigned hash;
	struct slot *slot = find(table, login, &hash);

	return slot != NULL ? &slot->entry : NULL;
}

static struct slot *add(struct send_table *table, const char *login, unsigned hash,
			uint64_t now)
{
	size_t size = strlen(login) + 1;
	struct slot *slot = xcalloc(1, sizeof(*slot) + size);

	make_room(table, table->max - 1, now);
	memcpy(slot->login, login, size);
	slot->entry.login = slot->login;
	slot->entry.limit = send_limits_find(table->limits, login);
	slot->entry.tat = now;
	if (table->count == table->size) {
		table->size = table->size > 0 ? 2 * table->size : 16;
		table->heap = xrealloc(table->heap, table->size * sizeof(*table->heap));
	}
	slot->place = table->count++;
	move_up(table, slot);
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, table->by_login, slot->login, size - 1, hash, slot);
	return slot;
}

struct send_entry *send_table_get(struct send_table *table, const char *login, uint64_t now,
				  int64_t wall)
{
	unsigned hash;
	struct slot *slot = find(table, login, &hash);

	if (slot == NULL) {
		slot = add(table, login, hash, now);
		slot->entry.since = wall;
	}
	return &slot->entry;
}

uint64_t send_entry_left(const struct send_entry *entry, uint64_t now)
{
	return entry->limit != NULL ? gcra_left(entry->limit, now, entry->tat) : UINT64_MAX;
}

bool send_table_take(struct send_table *table, struct send_entry *entry, uint64_t n,
		     uint64_t now)
{
	if (entry->limit == NULL)
		entry->tat = now;
	else if (!gcra_take(entry->limit, now, n, &entry->tat))
		return false;
	entry->sent += n;
	settle(table, slot_of(entry));
	return true;
}

void send_table_restore(struct send_table *table, const struct send_entry *row, uint64_t debt,
			uint64_t now)
{
	struct send_entry *entry = send_table_get(table, row->login, now, row->since);
	uint64_t latest = entry->limit != NULL ? gcra_latest(entry->limit, now) : now;

	entry->sent = row->sent;
	entry->over = row->over;
	entry->tat = debt < latest - now ? now + debt : latest;
	settle(table, slot_of(entry));
}

/* ---- all of them ---- */

void send_table_sweep(struct send_table *table, uint64_t now)
{
	while (table->count > 0 && now >= table->keep &&
	       table->heap[0]->entry.tat <= now - table->keep)
		drop_oldest(table);
}

size_t send_table_count(const struct send_table *table)
{
	return table->count;
}

size_t send_table_limited(const struct send_table *table, uint64_t now)
{
	size_t limited = 0;

	for (size_t i = 0; i < table->count; i++)
		limited += send_entry_left(&table->heap[i]->entry, now) == 0;
	return limited;
}

uint64_t send_table_evicted(const struct send_table *table)
{
	return table->evicted;
}

const struct send_entry *send_table_at(const struct send_table *table, size_t i)
{
	return &table->heap[i]->entry;
}
