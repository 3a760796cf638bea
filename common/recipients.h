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
struct mum_config;
struct mum_lookup;
struct recipients_walk;	/* the questions under way; gone when fn runs */

/*
 * MUM_FOUND: the facts are complete; age_ms is that of the oldest answer in them when
 * it came, 0 when none was from the cache. Any other status: reason says why, and is gone
 * when the callback returns. The walk is gone when fn is called.
 */
typedef void recipients_done_fn(enum mum_status status, unsigned age_ms,
				const char *reason, void *arg);

/* How a walk asks: with these functions of lookup.h, which is below. */
struct recipients_asker {
	struct lookups *lookups;
	struct mum_lookup *(*start)(struct lookups *lookups, unsigned questions,
				    const char *key, size_t key_len, unsigned deadline_ms,
				    mum_answer_fn *fn, void *arg);
	void (*cancel)(struct mum_lookup **lookup);
};

struct recipients_settings {
	struct reading_settings readings;	/* what it points to outlives the walk */
	bool other_maps;	/* address.other_maps */
	struct fallback_settings fallbacks;
};
/* Valid as long as the configuration is there. */
struct recipients_settings recipients_settings_of(const struct mum_config *config);

/*
 * Completes the facts of a MUM_DELIVERY about the address. Nobody else has a reference to
 * them until fn is called. Asker, settings and the address outlive the walk. Facts of a
 * name that MUM knows lose their catch-all; facts of a role get its recipient. fn runs
 * once, later, from the loop and never from inside this call. NULL when there is nothing
 * to ask: the facts are complete, and fn never runs.
 */
struct recipients_walk *recipients_walk_start(const struct recipients_asker *asker,
					      struct facts *facts,
					      const struct address *address,
					      const struct recipients_settings *settings,
					      recipients_done_fn *fn, void *arg);
/* The row of a recipient of rule_recipients(): both point to the same text. */
const struct delivery_row *recipient_row(const struct facts *facts, const char *recipient);

/*
 * For callers that know all names of MUM. The address that the row's recipient stands
 * for, as Postfix rewrites it, if state_needs_behind(); caller frees.
 */
char *recipient_name(const struct delivery_row *row,
		     const struct recipients_settings *settings);
/*
 * What MUM_NAME would answer about the address, in a domain of MUM's: fn adds to each row what
 * has the name that the row's form is. Caller frees.
 */
typedef void recipient_name_fn(const struct address *address, struct name_row *row, void *arg);
struct facts *recipient_name_facts(const struct address *address, bool domain_active,
				   recipient_name_fn *fn, void *arg);
/* Sets row->behind from an answer to MUM_NAME about that name; of: the kind of its form. */
void recipient_set_behind(struct delivery_row *row, const struct mum_answer *answer,
			  enum address_form_kind of,
			  const struct recipients_settings *settings);

/*
 * Complete facts of a MUM_DELIVERY without the recipients of an alias whose live ones
 * take more than RECIPIENTS_MAX bytes: they are of no use, and often too many for the
 * cache, so the database would be asked again and again. NULL: no such alias; else
 * the caller's.
 */
struct facts *recipients_without_excess(struct facts *facts, const struct address *address);

/* fn never runs. Sets NULL; NULL inside is fine. */
void recipients_walk_cancel(struct recipients_walk **walk);

#endif
