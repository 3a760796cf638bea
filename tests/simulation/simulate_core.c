/* SPDX-License-Identifier: MIT */
/*
 * Lives of the core as mumd has it: the real core, its cache, its reloads, on a store that
 * answers late, wrongly or never. Each answer is judged by what the tables said between
 * the oldest moment that its facts may come from and now.
 */
#include <stdlib.h>
#include <string.h>

#include "common/columns.h"
#include "common/core.h"
#include "common/rules-users.h"
#include "common/rules.h"
#include "common/xalloc.h"
#include "postfix-policy/cores.h"
#include "tests/fakes/fake-host.h"
#include "tests/fakes/fake-store.h"
#include "tests/simulation/simulation.h"

enum {
	ASKED_MAX = 32,
	STORES_MAX = 32,
	CHANGES_MAX = 64,
	STEPS_MAX = 60,
	RELOAD_DEADLINE = 2000,
	LONGEST = 700000	/* ms; no question of the core waits longer */
};

/* What the tables have. */
enum {
	DOMAIN = 1,		/* d.test */
	MAILBOX_A = 2,		/* a@d.test */
	MAILBOX_B = 4,
	ALIAS_L = 8,		/* l@d.test; its only recipient is the text b@d.test */
	EVERYTHING = 15
};

struct world;

/* store.h's promises are kept by fake_store; this one also knows when it is closed. */
struct simulated_store {
	struct fake_store fake;	/* first: store_ops cast to it */
	struct store_ops ops;
	bool open;
};

struct asked {
	struct world *world;
	struct mum_lookup *lookup;	/* NULL: nothing is awaited */
	const struct key *key;
	uint64_t at;			/* host_now() */
	unsigned deadline;
	bool fresh, was_down;
	unsigned long failures, misconfigured;	/* of the world, told when it was asked */
	bool at_once, asking;		/* may be answered inside the call; it is being asked */
};

struct world {
	struct dice *dice;
	struct fake_host host;
	struct service service;
	struct metrics metrics;
	struct cores *cores;
	unsigned ttl, stale;
	struct simulated_store stores[STORES_MAX];
	struct asked asked[ASKED_MAX];
	size_t waiting;
	unsigned long failures, misconfigured;	/* answers of stores without facts */
	unsigned long told_failures, told_misconfigured;	/* those that all know of */
	bool was_down;			/* the store; those who waited then may not know yet */
	bool busy;			/* inside the core: nobody may be called */
	bool ending;			/* no new questions */
	size_t changes_count;
	struct {
		uint64_t from;		/* host_now() */
		unsigned tables;
	} changes[CHANGES_MAX];
};

static struct world *world_now;	/* for what the core calls without a context */

/* Time passes; a failure may reach those who wait for it in a later turn of the loop. */
static void advance(struct world *world, unsigned ms)
{
	fake_host_advance(&world->host, ms);
	world->told_failures = world->failures;
	world->told_misconfigured = world->misconfigured;
	world->was_down = world->service.core != NULL && !mum_core_is_up(world->service.core);
}

static unsigned tables(const struct world *world)
{
	return world->changes[world->changes_count - 1].tables;
}

static void set_tables(struct world *world, unsigned to)
{
	if (world->changes_count == CHANGES_MAX)
		return;
	/* Two states never share a moment. */
	advance(world, 1);
	simulation_note("the tables have %u", to);
	world->changes[world->changes_count].from = world->host.now_ms;
	world->changes[world->changes_count++].tables = to;
	advance(world, 1);
}

/* ---- questions, and what is true of them ---- */

struct key {
	const char *text;
	unsigned questions;
	unsigned needs;		/* it is there when the tables have all of these */
	bool impossible;	/* no such name can exist */
};

#define NOBODY (EVERYTHING + 1)

static const struct key keys[] = {
	{ "d.test", MUM_ASK(MUM_DOMAIN), DOMAIN, false },
	{ "D.Test", MUM_ASK(MUM_DOMAIN), DOMAIN, false },
	{ "x.test", MUM_ASK(MUM_DOMAIN), NOBODY, false },
	{ "b\xc3\xbc.test", MUM_ASK(MUM_DOMAIN), NOBODY, false },
	{ "a@d.test", MUM_ASK(MUM_DELIVERY), DOMAIN | MAILBOX_A, false },
	{ "A+x@d.test", MUM_ASK(MUM_DELIVERY) | MUM_ASK(MUM_OWNERS), DOMAIN | MAILBOX_A, false },
	{ "b@d.test", MUM_ASK(MUM_DELIVERY) | MUM_ASK(MUM_OWNERS), DOMAIN | MAILBOX_B, false },
	{ "l@d.test", MUM_ASK(MUM_DELIVERY), DOMAIN | ALIAS_L | MAILBOX_B, false },
	{ "l@d.test", MUM_ASK(MUM_DELIVERY), DOMAIN | ALIAS_L | MAILBOX_B, false },
	{ "l+x@d.test", MUM_ASK(MUM_DELIVERY) | MUM_ASK(MUM_OWNERS),
	  DOMAIN | ALIAS_L | MAILBOX_B, false },
	{ "a@d.test", MUM_ASK(MUM_CREDENTIAL), DOMAIN | MAILBOX_A, false },
	{ "b@d.test", MUM_ASK(MUM_USER), DOMAIN | MAILBOX_B, false },
	{ "0", MUM_ASK(MUM_USERS), 0, false },
	{ "@d.test", MUM_ASK(MUM_DELIVERY), NOBODY, true },
	{ "a", MUM_ASK(MUM_CREDENTIAL), NOBODY, true },
	{ "a\n@d.test", MUM_ASK(MUM_OWNERS), NOBODY, true },
};

/* What the tables had, and what they lacked, at any moment from `from` on. */
static void ever(const struct world *world, uint64_t from, unsigned *had_r, unsigned *lacked_r)
{
	*had_r = *lacked_r = 0;
	for (size_t i = 0; i < world->changes_count; i++) {
		if (i + 1 < world->changes_count && world->changes[i + 1].from < from)
			continue;
		*had_r |= world->changes[i].tables;
		*lacked_r |= ~world->changes[i].tables;
	}
}

/* ---- the store's rows ---- */

static void add_row(struct facts *facts, const struct address *address, size_t form,
		    size_t count, const char *const *cells)
{
	struct column columns[COLUMNS_MAX];
	const char *why;

	for (size_t i = 0; i < count; i++)
		columns[i] = (struct column){ cells[i],
					      cells[i] != NULL ? strlen(cells[i]) : 0 };
	MUST("a row of ours can be read", facts_add_row(facts, address, form, columns, &why));
}

static void add_mailbox(struct facts *facts, const struct address *address, size_t form,
			const char *local)
{
	switch (facts->kind) {
	case MUM_DELIVERY:
		add_row(facts, address, form, DELIVERY_COLUMNS,
			(const char *[]){ "1", "d.test", "1", local, "1", "0", NULL, NULL, NULL,
					  NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL });
		break;
	case MUM_OWNERS:
		add_row(facts, address, form, OWNER_COLUMNS,
			(const char *[]){ "1", local, "d.test", "1", "0", "0", "0", local,
					  "d.test", "1", "1" });
		break;
	case MUM_CREDENTIAL:
		add_row(facts, address, form, CREDENTIAL_COLUMNS,
			(const char *[]){ "1", local, "d.test", "1", "1", "0", "$2y$10$x" });
		break;
	case MUM_USER:
		add_row(facts, address, form, USER_COLUMNS,
			(const char *[]){ "1", local, "d.test", "1", "1", "0", "/home/x",
					  "maildir:~/m", NULL, NULL });
		break;
	default:
		break;
	}
}

static void add_alias(struct facts *facts, const struct address *address, size_t form)
{
	if (facts->kind == MUM_DELIVERY)
		add_row(facts, address, form, DELIVERY_COLUMNS,
			(const char *[]){ "1", "d.test", "1", NULL, NULL, NULL, "l", "1", "0",
					  "7", "b@d.test", NULL, NULL, NULL, NULL, NULL,
					  NULL });
	else if (facts->kind == MUM_OWNERS)
		add_row(facts, address, form, OWNER_COLUMNS,
			(const char *[]){ "1", "l", "d.test", "1", "9", "1", "0", "b", "d.test",
					  "1", "1" });
}

/* A row for each name in one of MUM's domains, even if nothing has that name. */
static void add_name(struct facts *facts, const struct address *address, size_t form,
		     unsigned has)
{
	const char *local = address->forms[form].local;
	bool mailbox = (strcmp(local, "a") == 0 && (has & MAILBOX_A) != 0) ||
		       (strcmp(local, "b") == 0 && (has & MAILBOX_B) != 0);
	bool alias = strcmp(local, "l") == 0 && (has & ALIAS_L) != 0;

	add_row(facts, address, form, NAME_COLUMNS,
		(const char *[]){ "1", "d.test", "1", mailbox ? local : NULL,
				  mailbox ? "1" : NULL, mailbox ? "0" : NULL,
				  alias ? "l" : NULL, alias ? "1" : NULL, alias ? "0" : NULL,
				  alias ? "1" : "0" });
}

static void add_form(struct facts *facts, const struct address *address, size_t form,
		     unsigned has)
{
	const char *local = address->forms[form].local;

	if (facts->kind == MUM_DOMAIN)
		add_row(facts, address, form, DOMAIN_COLUMNS,
			(const char *[]){ "1", "d.test", "1" });
	else if (facts->kind == MUM_NAME)
		add_name(facts, address, form, has);
	else if (strcmp(local, "a") == 0 && (has & MAILBOX_A) != 0)
		add_mailbox(facts, address, form, "a");
	else if (strcmp(local, "b") == 0 && (has & MAILBOX_B) != 0)
		add_mailbox(facts, address, form, "b");
	else if (strcmp(local, "l") == 0 && (has & ALIAS_L) != 0 &&
		 (facts->kind == MUM_DELIVERY || (has & MAILBOX_B) != 0))
		add_alias(facts, address, form);
}

static struct facts *read_facts(const struct world *world, const struct question *question)
{
	struct facts *facts = facts_new(question->kind);
	const struct address *address = question->address;
	unsigned has = tables(world);

	if (question->kind == MUM_USERS)
		add_row(facts, NULL, 0, LISTED_COLUMNS,
			(const char *[]){ "1", "a", "d.test", "1", "1", "0", "1" });
	else if (strcmp(address->domain, "d.test") == 0 && (has & DOMAIN) != 0) {
		for (size_t form = 0; form < address->forms_count; form++)
			add_form(facts, address, form, has);
	}
	facts_complete(facts);
	return facts;
}

/* ---- the store ---- */

static void store_close(struct store *store)
{
	struct simulated_store *simulated = (struct simulated_store *)store;

	MUST("each question was answered or withdrawn before the store is closed",
	     fake_store_free(&simulated->fake));
	simulated->open = false;
}

/* Instead of the real one: this program has no other. */
struct store *store_mariadb_open(const struct mum_host *host, const struct mum_config *config,
				 struct mum_host_stats *stats)
{
	struct simulated_store *simulated = world_now->stores;

	(void)config;
	(void)stats;
	while (simulated->open)
		simulated++;
	fake_store_init(&simulated->fake, host);
	simulated->ops = *simulated->fake.store.ops;
	simulated->ops.close = store_close;
	simulated->fake.store.ops = &simulated->ops;
	simulated->open = true;
	return &simulated->fake.store;
}

static size_t stores_open(const struct world *world)
{
	size_t count = 0;

	for (size_t i = 0; i < STORES_MAX; i++)
		count += world->stores[i].open;
	return count;
}

static void store_answer(struct world *world, struct simulated_store *simulated,
			 unsigned percent_bad)
{
	struct fake_store *fake = &simulated->fake;
	size_t pending = simulated->open ? fake_store_pending(fake) : 0;
	enum mum_status status = MUM_FOUND;
	struct facts *facts = NULL;
	size_t index;

	if (pending == 0)
		return;
	index = dice_roll(world->dice, (unsigned)pending);
	if (dice_chance(world->dice, percent_bad))
		status = dice_chance(world->dice, 30) ? MUM_MISCONFIGURED : MUM_TEMPFAIL;
	world->failures += status != MUM_FOUND;
	world->misconfigured += status == MUM_MISCONFIGURED;
	if (status == MUM_FOUND)
		facts = read_facts(world, fake_store_question(fake, index));
	simulation_note("store %zd answers %s with %d", simulated - world->stores,
			mum_question_name(fake_store_question(fake, index)->kind), status);
	fake_store_answer(fake, index, status, facts, facts != NULL ? NULL : "trouble");
	facts_unref(&facts);
}

/* ---- configuration ---- */

/* As mum.conf would have it; some files are bad. */
struct mum_config *__wrap_mum_config_load(const char *path, enum mum_role role, char **errors_r);

struct mum_config *__wrap_mum_config_load(const char *path, enum mum_role role, char **errors_r)
{
	struct world *world = world_now;
	struct mum_config *config;

	(void)path;
	(void)role;
	*errors_r = NULL;
	if (world->cores != NULL && dice_chance(world->dice, 10)) {
		*errors_r = xstrdup("mum.conf:1: bad");
		return NULL;
	}
	config = xcalloc(1, sizeof(*config));
	config->database.driver = MUM_DRIVER_MARIADB;
	config->database.deadline = RELOAD_DEADLINE;
	config->address.recipient_delimiter = "+";
	config->address.myorigin = "origin.test";
	config->address.mydomain = "";
	config->cache.ttl = world->ttl;
	config->cache.stale = world->stale;
	config->cache.entries = dice_chance(world->dice, 20) ? 3 : 100;
	return config;
}

static void on_reloaded(const struct mum_config *before, const struct mum_config *now,
			bool again, void *arg)
{
	struct world *world = arg;

	MUST("a reload says what was before", before != NULL);
	MUST("a reload that works is told of the core in use",
	     now == NULL || now == mum_core_config(world->service.core));
	simulation_note("reloaded: %s%s", now != NULL ? "new" : "old", again ? ", again" : "");
}

/* ---- answers ---- */

static void ask(struct world *world);
static void cancel_any(struct world *world);

/* What the rules make of it: is it there? */
static bool verdict(const struct asked *asked, const struct mum_answer *answer)
{
	struct recipient_ruling ruling = { .verdict = RECIPIENT_UNKNOWN };
	const char *name;

	if ((asked->key->questions & MUM_ASK(MUM_DOMAIN)) != 0)
		return rule_domain(answer, &name) == MUM_FOUND;
	if ((asked->key->questions & MUM_ASK(MUM_DELIVERY)) != 0) {
		MUST("complete facts have a verdict",
		     rule_recipient(answer, &ruling) == MUM_FOUND);
		return ruling.verdict == RECIPIENT_ACCEPTED;
	}
	for (int i = 0; i < MUM_QUESTIONS; i++) {
		if ((asked->key->questions & MUM_ASK(i)) != 0)
			return answer->facts[i]->count > 0;
	}
	return false;
}

/* Facts may be as old as the cache keeps them, or as they were when it was asked. */
static void check_verdict(const struct asked *asked, const struct mum_answer *answer)
{
	const struct world *world = asked->world;
	bool there = verdict(asked, answer);
	uint64_t age = answer->stale ? world->stale : world->ttl;
	unsigned had, lacked, needs = asked->key->needs;

	if (asked->fresh || (asked->key->questions & MUM_ASK(MUM_CREDENTIAL)) != 0)
		age = 0;
	MUST("each question has its facts", !asked->key->impossible);
	ever(world, asked->at - age, &had, &lacked);
	/* While its domain is none of MUM's, the recipient is somebody elsewhere. */
	if (there && (needs & (unsigned)ALIAS_L) != 0 && (lacked & DOMAIN) != 0)
		needs &= ~(unsigned)MAILBOX_B;
	if (there ? (had & needs) != needs : (lacked & needs) == 0)
		simulation_fail("%s was %s, and never so since %llu ms before the question",
				asked->key->text, there ? "found" : "not found",
				(unsigned long long)age);
	MUST("what is stale is older than cache.ttl, and no older than cache.stale",
	     !answer->stale || (answer->age_ms >= world->ttl && world->stale > 0));
}

static bool may_fail(const struct asked *asked)
{
	const struct world *world = asked->world;

	return world->failures > asked->failures ||
	       world->host.now_ms >= asked->at + asked->deadline;
}

static void on_answer(const struct mum_answer *answer, void *arg)
{
	struct asked *asked = arg;
	struct world *world = asked->world;

	simulation_note("  answer %zd: %d%s, %u ms old", asked - world->asked, answer->status,
			answer->stale ? " stale" : "", answer->age_ms);
	MUST("an answer comes once, and none after it was cancelled",
	     asked->lookup != NULL || asked->at_once);
	MUST("an answer does not come from inside a call that is not for it",
	     !world->busy || asked->at_once);
	MUST("a reason says why there is no answer",
	     (answer->reason == NULL) ==
		     (answer->status == MUM_FOUND || answer->status == MUM_NOT_FOUND));
	switch (answer->status) {
	case MUM_FOUND:
		check_verdict(asked, answer);
		break;
	case MUM_NOT_FOUND:
		MUST("NOT_FOUND without facts is for what cannot exist", asked->key->impossible);
		break;
	case MUM_MISCONFIGURED:
		MUST("somebody is blamed for nothing", world->misconfigured > asked->misconfigured);
		break;
	case MUM_TEMPFAIL:
		MUST("nothing failed, and yet it did", may_fail(asked) || asked->was_down);
		break;
	}
	MUST("stale facts are for times of trouble", !answer->stale || may_fail(asked) ||
	     asked->was_down);
	asked->lookup = NULL;
	asked->at_once = false;
	world->waiting--;
	if (dice_chance(world->dice, 20))
		ask(world);
	if (dice_chance(world->dice, 10))
		cancel_any(world);
}

/* ---- what happens ---- */

static bool is_taken(const struct asked *asked)
{
	return asked->lookup != NULL || asked->asking;
}

static void ask(struct world *world)
{
	const struct key *key = &keys[dice_roll(world->dice, sizeof(keys) / sizeof(keys[0]))];
	struct asked *asked = world->asked;
	struct mum_core *core = world->service.core;
	bool before = world->busy;
	unsigned questions = key->questions;

	while (is_taken(asked) && asked < world->asked + ASKED_MAX - 1)
		asked++;
	if (is_taken(asked) || world->ending)
		return;
	*asked = (struct asked){ world, NULL, key, world->host.now_ms,
				 500 + dice_roll(world->dice, 2000),
				 (key->questions & MUM_ASK(MUM_DOMAIN)) != 0 &&
					 dice_chance(world->dice, 20),
				 !mum_core_is_up(core) || world->was_down, world->told_failures,
				 world->told_misconfigured,
				 dice_chance(world->dice, 30), true };
	if (asked->fresh)
		questions |= MUM_FRESH;
	if (asked->at_once)
		questions |= MUM_AT_ONCE;
	simulation_note("ask %zd: %s", asked - world->asked, key->text);
	world->busy = true;
	world->waiting++;
	asked->lookup = mum_core_ask(core, questions, key->text, strlen(key->text),
				     asked->deadline, on_answer, asked);
	world->busy = before;
	asked->at_once = asked->asking = false;
}

static void cancel_any(struct world *world)
{
	struct asked *asked = &world->asked[dice_roll(world->dice, ASKED_MAX)];
	bool before = world->busy;

	if (asked->lookup == NULL)
		return;
	simulation_note("cancel %zd", asked - world->asked);
	world->busy = true;
	mum_lookup_cancel(&asked->lookup);
	world->busy = before;
	world->waiting--;
}

static void check_deadlines(const struct world *world)
{
	for (size_t i = 0; i < ASKED_MAX; i++) {
		const struct asked *asked = &world->asked[i];

		MUST("each question is answered at its deadline", asked->lookup == NULL ||
		     world->host.now_ms < asked->at + asked->deadline);
	}
}

static void pass_time(struct world *world, unsigned ms)
{
	simulation_note("%u ms", ms);
	advance(world, ms);
	check_deadlines(world);
}

/* The process did not run for a while: all that is due comes late and at once. */
static void jump(struct world *world)
{
	simulation_note("the clocks jump");
	world->host.now_ms += dice_roll(world->dice, 5000);
	world->host.wall += (time_t)dice_roll(world->dice, 200000) - 100000;
	fake_host_turn(&world->host);
	advance(world, 0);
	check_deadlines(world);
}

static void set_up(struct world *world, bool up)
{
	simulation_note("stores are %s", up ? "up" : "down");
	world->failures += !up;
	world->was_down = world->was_down || !up;
	for (size_t i = 0; i < STORES_MAX; i++)
		world->stores[i].fake.store.up = up;
}

static void step(struct world *world, unsigned percent_bad)
{
	unsigned what = dice_roll(world->dice, 100);

	if (what < 30)
		ask(world);
	else if (what < 65)
		store_answer(world, &world->stores[dice_roll(world->dice, 2)], percent_bad);
	else if (what < 73)
		fake_host_turn(&world->host);
	else if (what < 78)
		cancel_any(world);
	else if (what < 86)
		set_tables(world, tables(world) ^ (1U << dice_roll(world->dice, 4)));
	else if (what < 94)
		pass_time(world, dice_roll(world->dice, dice_chance(world->dice, 20) ? 2500 : 100));
	else if (what < 95)
		jump(world);
	else if (what < 97)
		set_up(world, dice_chance(world->dice, 60));
	else if (stores_open(world) < STORES_MAX - 2)
		cores_reload(world->cores);
	fake_host_clear_log(&world->host);
}

/* Every deadline passes; then nothing of the core waits for anything. */
static void run_out(struct world *world)
{
	world->ending = true;
	pass_time(world, LONGEST);
	MUST("everybody has been answered", world->waiting == 0);
	MUST("the core is idle", mum_core_is_idle(world->service.core));
	MUST("replaced cores are gone", stores_open(world) == 1);
	for (size_t i = 0; i < STORES_MAX; i++)
		MUST("nobody waits for the store", !world->stores[i].open ||
		     fake_store_pending(&world->stores[i].fake) == 0);
	MUST("no timer is left", fake_host_timers(&world->host) == 0);
}

static void life(struct dice *dice)
{
	struct world world = { .dice = dice };
	unsigned percent_bad = dice_roll(dice, 60), steps = dice_roll(dice, STEPS_MAX);
	struct mum_config *config;
	char *errors;

	world_now = &world;
	fake_host_init(&world.host);
	world.ttl = dice_chance(dice, 20) ? 0 : dice_roll(dice, 3000);
	world.stale = dice_chance(dice, 30) ? 0 : world.ttl + dice_roll(dice, 10000);
	world.service.host = &world.host.host;
	world.service.metrics = &world.metrics;
	world.changes[0].tables = dice_roll(dice, EVERYTHING + 1);
	world.changes_count = 1;
	config = __wrap_mum_config_load("", MUM_ROLE_POSTFIX, &errors);
	world.cores = cores_new(&world.service, "mum.conf", &config, on_reloaded, &world);
	while (steps-- > 0)
		step(&world, percent_bad);
	if (dice_chance(dice, 70))
		run_out(&world);
	world.busy = true;	/* what is cancelled is not answered */
	cores_free(&world.cores);
	metrics_clear(&world.metrics);
	MUST("no store outlives its core", stores_open(&world) == 0);
	MUST("no timer is left", fake_host_timers(&world.host) == 0);
	fake_host_free(&world.host);
}

int main(int argc, char **argv)
{
	return simulation_main(argc, argv, life, 50000);
}
