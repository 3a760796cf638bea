/* SPDX-License-Identifier: MIT */
#include "tests/unit/decision-world.h"

#include "common/xalloc.h"
#include "tests/unit/unit.h"

/* ---- a core in place of core.c and lookup.c ---- */

const struct mum_config *mum_core_config(const struct mum_core *core)
{
	return &core->config;
}

struct mum_lookup *mum_core_ask(struct mum_core *core, unsigned questions, const char *key,
				size_t key_len, unsigned deadline_ms, mum_answer_fn *fn,
				void *arg)
{
	struct mum_lookup *lookup = xmalloc(sizeof(*lookup));

	assert_true(core->count < ASKED_MAX);
	*lookup = (struct mum_lookup){ core, questions & ~MUM_AT_ONCE, deadline_ms,
				       xstrndup(key, key_len), fn, arg };
	core->asked[core->count++] = lookup;
	if (!core->at_once || (questions & MUM_AT_ONCE) == 0)
		return lookup;
	world_answer(lookup);
	return NULL;
}

static void forget(struct mum_lookup *lookup)
{
	struct mum_core *core = lookup->core;
	size_t at = 0;

	while (core->asked[at] != lookup)
		at++;
	core->count--;
	memmove(&core->asked[at], &core->asked[at + 1],
		(core->count - at) * sizeof(core->asked[0]));
	free(lookup->key);
	free(lookup);
}

void mum_lookup_cancel(struct mum_lookup **lookup)
{
	if (*lookup != NULL)
		forget(*lookup);
	*lookup = NULL;
}

static bool is_name(const struct mum_lookup *lookup, const char *name)
{
	return strncmp(lookup->key, name, strlen(name)) == 0;
}

void world_answer(struct mum_lookup *lookup)
{
	bool ours = is_name(lookup, "anna@d") || is_name(lookup, "only@d");
	bool dead = is_name(lookup, "dead@d");
	struct delivery_row delivery = {
		.domain_active = true, .mailbox = ours ? "m" : NULL, .mailbox_active = ours,
		.mailbox_send_only = !is_name(lookup, "anna@d"),
		.alias = dead ? "dead@d" : NULL, .alias_active = dead, .recipient = "gone@d",
		.stands_for = "gone@d", .recipient_local = true };
	struct owner_row owner = { .login = "anna@d", .domain_active = true,
				   .mailbox_active = true, .mailbox_domain_active = true };
	struct domain_row domain = { 0, "d", true };
	struct facts facts = { .count = 1 };
	bool trouble = is_name(lookup, "trouble");
	struct address *address = address_new(
		lookup->questions == MUM_ASK(MUM_DOMAIN) ? ADDRESS_DOMAIN : ADDRESS_MAIL,
		lookup->key, strlen(lookup->key), "+");
	struct mum_answer got = { .status = trouble	      ? MUM_TEMPFAIL
					    : address == NULL ? MUM_NOT_FOUND
							      : MUM_FOUND,
				  .address = address };
	mum_answer_fn *fn = lookup->fn;
	void *arg = lookup->arg;

	if (lookup->questions == MUM_ASK(MUM_DELIVERY)) {
		facts.deliveries = &delivery;
		facts.count = ours || dead;
		got.facts[MUM_DELIVERY] = &facts;
	} else if (lookup->questions == MUM_ASK(MUM_OWNERS)) {
		facts.owners = &owner;
		facts.count = is_name(lookup, "anna@d");
		got.facts[MUM_OWNERS] = &facts;
	} else {
		facts.domains = &domain;
		facts.count = strcmp(lookup->key, "d") == 0;
		got.facts[MUM_DOMAIN] = &facts;
	}
	forget(lookup);
	fn(&got, arg);
	address_unref(&address);
}

/* ---- a quota service in place of quota/check.c ---- */

struct quota_check service;

struct quota_check *quota_check_start(const struct mum_host *host, struct mum_core *core,
				      struct quota_client *client, const char *recipient,
				      uint64_t size, quota_check_fn *fn, void *arg)
{
	WANT("the quota check is given all that it needs",
	     host != NULL && core != NULL && client != NULL);
	if (service.down)
		return NULL;
	service.waiting++;
	service.recipient = xstrdup(recipient);
	service.size = size;
	service.fn = fn;
	service.arg = arg;
	return &service;
}

static void forget_check(void)
{
	service.waiting--;
	free(service.recipient);
	service.recipient = NULL;
}

void quota_check_cancel(struct quota_check **check)
{
	if (*check != NULL)
		forget_check();
	*check = NULL;
}

void world_answer_check(void)
{
	forget_check();
	service.fn(&service.verdict, service.arg);
}
