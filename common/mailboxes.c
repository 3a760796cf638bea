/* SPDX-License-Identifier: MIT */
#include "common/mailboxes.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/address-quote.h"
#include "common/recipients.h"
#include "common/rules.h"
#include "common/xalloc.h"

enum { NAME_MAX = 4096 };	/* bytes of an address in the form of RFC 5321 */

/* A name on the way. It is asked about, becomes a mailbox, or makes place for others. */
struct step {
	struct mailboxes_walk *walk;
	char *name;
	unsigned aliases;		/* before it */
	struct mum_lookup *lookup;	/* borrowed; NULL when none */
	char *mailbox;			/* NULL: not known yet, or it was an alias */
	struct step *prev, *next;
};

struct mailboxes_walk {
	const struct mum_host *host;
	struct mum_core *core;
	size_t max;
	uint64_t until;			/* host_now() */
	mailboxes_fn *fn;
	void *arg;
	struct mum_timer *turn;		/* if the address is unclear: nothing to ask */
	struct step *steps;
	size_t waiting;			/* steps that are asked about */
	size_t places;			/* those, and mailboxes */
};

/* ---- the end ---- */

void mailboxes_cancel(struct mailboxes_walk **_walk)
{
	struct mailboxes_walk *walk = *_walk;
	struct step *step, *next;

	*_walk = NULL;
	if (walk == NULL)
		return;
	DL_FOREACH_SAFE(walk->steps, step, next) {
		mum_lookup_cancel(&step->lookup);
		free(step->name);
		free(step->mailbox);
		free(step);
	}
	host_untimer(walk->host, &walk->turn);
	free(walk);
}

/* Frees the walk first, and calls last. */
static void finish(struct mailboxes_walk *walk, const struct mailboxes *found)
{
	mailboxes_fn *fn = walk->fn;
	void *arg = walk->arg;

	mailboxes_cancel(&walk);
	fn(found, arg);
}

/* False, from each function below: the walk has ended. */
static bool give_up(struct mailboxes_walk *walk, enum mailboxes_status status,
		    const char *name)
{
	char *kept = xstrdup(name);
	const struct mailboxes found = { .status = status, .name = kept };

	finish(walk, &found);
	free(kept);
	return false;
}

static bool is_listed(const struct mailboxes *found, const char *name)
{
	for (size_t i = 0; i < found->count; i++) {
		if (strcmp(found->names[i], name) == 0)
			return true;
	}
	return false;
}

static void finish_found(struct mailboxes_walk *walk)
{
	char *address = xstrdup(walk->steps->name);
	struct mailboxes found = { .status = MAILBOXES_FOUND, .name = address };
	char **names = xcalloc(walk->places, sizeof(*names));
	struct step *step;

	found.names = (const char **)names;
	DL_FOREACH(walk->steps, step) {
		if (step->mailbox == NULL || is_listed(&found, step->mailbox))
			continue;
		names[found.count++] = step->mailbox;
		step->mailbox = NULL;
	}
	finish(walk, &found);
	for (size_t i = 0; i < found.count; i++)
		free(names[i]);
	free(names);
	free(address);
}

/* ---- steps ---- */

static void on_answer(const struct mum_answer *answer, void *arg);

static unsigned rest_of(const struct mailboxes_walk *walk)
{
	uint64_t now = host_now(walk->host);

	return now < walk->until ? (unsigned)(walk->until - now) : 0;
}

/* The same name behind more aliases may be a loop; the depth limit ends it. */
static bool is_known(const struct mailboxes_walk *walk, const char *name, unsigned aliases)
{
	const struct step *step;

	DL_FOREACH(walk->steps, step) {
		if (step->aliases == aliases && strcmp(step->name, name) == 0)
			return true;
	}
	return false;
}

/* Takes over the name. */
static struct step *add_step(struct mailboxes_walk *walk, char *name, unsigned aliases)
{
	struct step *step = xcalloc(1, sizeof(*step));

	step->walk = walk;
	step->name = name;
	step->aliases = aliases;
	walk->places++;
	DL_APPEND(walk->steps, step);
	return step;
}

/* Takes over the name. A known name leads where it led before. */
static void ask(struct mailboxes_walk *walk, char *name, unsigned aliases)
{
	struct step *step;

	if (is_known(walk, name, aliases)) {
		free(name);
		return;
	}
	step = add_step(walk, name, aliases);
	walk->waiting++;
	step->lookup = mum_core_ask(walk->core, MUM_ASK(MUM_DELIVERY), name, strlen(name),
				    rest_of(walk), on_answer, step);
}

/* As RFC 5321 writes a stored address; NULL when that cannot be. Caller frees. */
static char *external_name(const char *stored, const char *extension)
{
	struct buf name = BUF_INIT(NAME_MAX);

	if (address_put_external(&name, stored, extension) && !name.failed)
		return buf_steal(&name);
	buf_free(&name);
	return NULL;
}

static bool add_mailbox(struct step *step, const char *stored)
{
	step->mailbox = external_name(stored, "");
	return step->mailbox != NULL || give_up(step->walk, MAILBOXES_NOBODY, stored);
}

/*
 * What Postfix makes of an address before it looks it up. A quoted local part needs no
 * rewriting. NULL when the result is not exactly one address. Caller frees.
 */
static char *rewritten(const struct mum_core *core, const char *text)
{
	const struct reading_settings settings = mum_config_readings(mum_core_config(core));
	struct readings readings;
	bool one;
	char *name;

	if (strchr(text, '"') != NULL)
		return xstrdup(text);
	one = readings_make(&readings, text, &settings) && readings.count == 1;
	name = one ? xstrdup(readings.items[0].text) : NULL;
	readings_free(&readings);
	return name;
}

/* ---- what an answer leads to ---- */

/* One recipient of the step's alias. */
static bool follow(struct step *step, const struct delivery_row *row, const char *extension)
{
	struct mailboxes_walk *walk = step->walk;
	char *text, *name;

	if (address_is_same(row->stands_for, row->alias))
		return add_mailbox(add_step(walk, xstrdup(row->alias), step->aliases + 1),
				   row->mailbox);
	if (!row->recipient_local && !row->behind.ours)
		return give_up(walk, MAILBOXES_ELSEWHERE, row->stands_for);
	text = external_name(row->stands_for, extension);
	name = text != NULL ? rewritten(walk->core, text) : NULL;
	free(text);
	if (name == NULL)
		return give_up(walk, MAILBOXES_NOBODY, row->stands_for);
	ask(walk, name, step->aliases + 1);
	return true;
}

static bool follow_all(struct step *step, const struct mum_answer *answer,
		       const struct recipients *recipients)
{
	struct mailboxes_walk *walk = step->walk;

	if (step->aliases == MAILBOXES_ALIASES)
		return give_up(walk, MAILBOXES_TOO_DEEP, step->name);
	walk->places--;		/* its own */
	/* The count is 0 if there are more than a mail server takes. */
	if (recipients->count == 0 || recipients->count > walk->max - walk->places)
		return give_up(walk, MAILBOXES_TOO_MANY, step->name);
	for (size_t i = 0; i < recipients->count; i++) {
		if (!follow(step, recipient_row(answer->facts[MUM_DELIVERY],
						 recipients->addresses[i]),
			    recipients->extension))
			return false;
	}
	return true;
}

static bool judge(struct step *step, const struct mum_answer *answer)
{
	struct arena arena = { NULL };
	struct recipients recipients;
	const struct delivery_row *mailbox;
	bool lives;

	if (answer->status != MUM_FOUND && answer->status != MUM_NOT_FOUND)
		return give_up(step->walk, MAILBOXES_NO_ANSWER, step->name);
	if (rule_recipients(answer, &arena, &recipients) == MUM_FOUND)
		lives = follow_all(step, answer, &recipients);
	else if (answer->status == MUM_FOUND &&
		 rule_mailbox_state(answer, &mailbox) == MAILBOX_IS_LIVE)
		lives = add_mailbox(step, mailbox->mailbox);
	else
		lives = give_up(step->walk, MAILBOXES_NOBODY, step->name);
	arena_free(&arena);
	return lives;
}

static void on_answer(const struct mum_answer *answer, void *arg)
{
	struct step *step = arg;
	struct mailboxes_walk *walk = step->walk;

	step->lookup = NULL;
	walk->waiting--;
	if (judge(step, answer) && walk->waiting == 0)
		finish_found(walk);
}

static void on_turn(void *arg)
{
	struct step *step = arg;

	step->walk->turn = NULL;
	(void)give_up(step->walk, MAILBOXES_UNCLEAR, step->name);
}

struct mailboxes_walk *mailboxes_find(const struct mum_host *host, struct mum_core *core,
				      const char *address, size_t max, unsigned deadline_ms,
				      mailboxes_fn *fn, void *arg)
{
	char *name = rewritten(core, address);
	struct mailboxes_walk *walk = xcalloc(1, sizeof(*walk));

	walk->host = host;
	walk->core = core;
	walk->max = max;
	walk->until = host_now(host) + deadline_ms;
	walk->fn = fn;
	walk->arg = arg;
	if (name != NULL)
		ask(walk, name, 0);
	else
		walk->turn = host->ops->timer(host->ctx, 0, on_turn,
					      add_step(walk, xstrdup(address), 0));
	return walk;
}
