/* SPDX-License-Identifier: MIT */
/* The mailboxes and domains to measure, and their sizes so far. */
#ifndef MUM_MEASURE_SET_H
#define MUM_MEASURE_SET_H

#include "common/inspect.h"

struct measure_set;

/* What a row of size_measurements is about. */
enum measured { MEASURED_MAILBOX, MEASURED_DOMAIN, MEASURED_WHOLE };

/* The mailboxes that Dovecot lists, of role Postfix. False sets the error. */
bool measure_set_read(struct inspect *db, struct measure_set **set_r,
		      struct inspect_error *error_r);
void measure_set_free(struct measure_set **set);	/* sets NULL; NULL is fine */

/* A size that Dovecot gives; the first of a user counts. Ignores users not in the set. */
void measure_set_size(struct measure_set *set, const char *user, uint64_t kib);
/* The user has no size, whatever Dovecot has said or will say. */
void measure_set_fail(struct measure_set *set, const char *user);
void measure_set_fail_all(struct measure_set *set);
/* How many mailboxes Dovecot has spoken of; *all_r: how many there are. */
size_t measure_set_done(const struct measure_set *set, size_t *all_r);

/*
 * Sums up. later: a set that was read after the measuring; what is not in it is gone or no
 * longer active, and gets neither a size nor a failure.
 */
void measure_set_sum(struct measure_set *set, const struct measure_set *later);

/* After measure_set_sum(). id is 0 with MEASURED_WHOLE. */
typedef void measure_row_fn(enum measured what, uint64_t id, uint64_t kib, void *arg);
void measure_set_each_row(const struct measure_set *set, measure_row_fn *fn, void *arg);
/* The mailboxes without a size, as stored. */
typedef void measure_failed_fn(const char *name, void *arg);
void measure_set_each_failed(const struct measure_set *set, measure_failed_fn *fn, void *arg);

#endif
