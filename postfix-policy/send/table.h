/* SPDX-License-Identifier: MIT */
/*
 * Who sent how much: one entry for each login that sent lately. If the table is full, a new
 * login replaces the one whose recipients drain first. Pure; times are microseconds of a
 * clock that never goes back.
 */
#ifndef MUM_SEND_TABLE_H
#define MUM_SEND_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "postfix-policy/send/limits.h"

struct send_table;

struct send_entry {
	const char *login;		/* as send_login() made it */
	const struct gcra *limit;	/* NULL: none */
	uint64_t tat;			/* gcra.h; without a limit: when it sent last */
	uint64_t sent, over;		/* recipients since then, and those over the limit */
	int64_t since;			/* seconds of the time of day, for people */
	uint64_t told;			/* for the owner of the table; 0 at first */
};

struct send_table *send_table_new(void);
void send_table_free(struct send_table **table);	/* sets NULL; NULL is fine */

/*
 * Takes over the limits. At most max entries; each is dropped `keep` after all has drained.
 * Entries stay: as many recipients count as before, but no more than the new burst.
 */
void send_table_configure(struct send_table *table, struct send_limits **limits, size_t max,
			  uint64_t keep, uint64_t now);

/* NULL: there is none. An entry lives until the next call of any function but this. */
struct send_entry *send_table_find(struct send_table *table, const char *login);
/* The entry; makes it if there is none. */
struct send_entry *send_table_get(struct send_table *table, const char *login, uint64_t now,
				  int64_t wall);

/* How many recipients the login may still send to; UINT64_MAX without a limit. */
uint64_t send_entry_left(const struct send_entry *entry, uint64_t now);
/* Takes all n and counts them as sent, or takes none. */
bool send_table_take(struct send_table *table, struct send_entry *entry, uint64_t n,
		     uint64_t now);
/* Puts back the row of an older table; debt: how long until all of it drains. */
void send_table_restore(struct send_table *table, const struct send_entry *row, uint64_t debt,
			uint64_t now);

/* Drops what has drained for `keep`. */
void send_table_sweep(struct send_table *table, uint64_t now);
size_t send_table_count(const struct send_table *table);
/* How many logins may send to nobody now. Looks at each. */
size_t send_table_limited(const struct send_table *table, uint64_t now);
/* How many entries were dropped because the table was full, while they still counted. */
uint64_t send_table_evicted(const struct send_table *table);
/* Entry i of send_table_count(), in no order; lives until the next other call. */
const struct send_entry *send_table_at(const struct send_table *table, size_t i);

#endif
