/* SPDX-License-Identifier: MIT */
/*
 * MUM writes wall-clock times of its own time zone (config/app.php) into
 * deactivate_at. This module writes "now" in the same form.
 */
#ifndef MUM_TIMEZONE_H
#define MUM_TIMEZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

enum { TIMEZONE_TEXT_SIZE = sizeof("YYYY-MM-DD HH:MM:SS") };

struct timezone_table;	/* the offsets of one zone, now and for some years */

/* Is it "UTC" or a name in the system's zone database? */
bool timezone_is_known(const char *name);

/*
 * Reads the zone. Except for "UTC", it sets TZ for a moment, so no other thread may
 * use the environment or local time during this call.
 */
struct timezone_table *timezone_new(const char *name, time_t now);
void timezone_free(struct timezone_table **table);	/* sets NULL; NULL is fine */

/* "YYYY-MM-DD HH:MM:SS" at the given time in that zone. */
void timezone_format(const struct timezone_table *table, time_t when,
		     char text[TIMEZONE_TEXT_SIZE]);

#endif
