/* SPDX-License-Identifier: MIT */
/*
 * What stands behind the recipients of an alias. For mailboxes that accept mail the
 * rows say it. All other recipients need further questions, asked here: is the domain
 * one of MUM's, and if so, what has that name in it? An alias is followed one step,
 * because Postfix asks for the next one itself. Roles and catch-alls
 * (address-fallback.h) become aliases here when they count.
 */
#ifndef MUM_RECIPIENTS_H
#define MUM_RECIPIENTS_H

#include "common/address-fallback.h"
#include "common/facts.h"
#include "common/readings.h"

/* Bytes of a list with commas. No mail server takes more for one alias. */
enum { RECIPIENTS_MAX = 100000 };

struct lookups;
struct recipients_walk;	/* the questions on their way; owned by its fn, see below */

/*
 * MUM_FOUND: the facts are complete; age_ms is that of the oldest answer in them when
 * it came, 0 when none was from the cache. Any other status: reason says why, and is gone
 * when the callback returns. The walk is gone when fn is called.
 */
typedef void recipients_done_fn(enum mum_status status, unsigned age_ms,
				const char *reason, void *arg);

struct recipients_settings {
	struct reading_settings readings;	/* what it points to outlives the walk */
	bool other_maps;	/* address.other_maps */
	struct fallback_settings fallbacks;
};

/*
 * Completes the facts of a MUM_DELIVERY about the address, which nobody else has a
 * reference to until fn is called; lookups, settings and the address outlive the walk.
 * Facts of a name that MUM knows lose their catch-all; facts of a role get its recipient.
 * fn runs once, later, from the loop and never from inside this call. NULL when there is
 * nothing to ask: the facts are complete, and fn never runs.
 */
struct recipients_walk *recipients_walk_start(struct lookups *lookups, struct facts *facts,
					      const struct address *address,
					      const struct recipients_settings *settings,
					      recipients_done_fn *fn, void *arg);
/*
 * For who knows all names of MUM anyway. The address that a row with something to
 * ask (state_needs_behind()) stands for, as Postfix rewrites it; caller frees.
 */
char *recipient_name(const struct delivery_row *row,
		     const struct recipients_settings *settings);
/* Sets row->behind from an answer to MUM_NAME about that name; of: what the row's form is. */
void recipient_set_behind(struct delivery_row *row, const struct mum_answer *answer,
			  enum address_form_kind of,
			  const struct recipients_settings *settings);

/*
 * Complete facts of a MUM_DELIVERY without the recipients of an alias that has
 * more live ones than RECIPIENTS_MAX: they are of no use, and would be read from
 * the database again and again, because no cache holds that much. NULL if there
 * is no such alias; else the caller's.
 */
struct facts *recipients_without_excess(struct facts *facts, const struct address *address);

/* fn never runs. Sets NULL; NULL inside is fine. */
void recipients_walk_cancel(struct recipients_walk **walk);

#endif
