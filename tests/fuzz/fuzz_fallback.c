/* SPDX-License-Identifier: MIT */
/*
 * Roles and catch-alls: the forms of an address, and what is answered about it when the
 * database says anything at all.
 */
#include "common/address-fallback.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/lookup.h"
#include "common/rules.h"
#include "common/xalloc.h"
#include "tests/fakes/fake-host.h"
#include "tests/fakes/fake-store.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rows.h"

enum { ROLES_MAX = 3, TURNS_MAX = 1000, DEADLINE = 1000 };

static const char *const delimiters[] = { "", "+", "-", "+-=" };

struct world {
	struct feed *feed;
	struct lookups_settings settings;
	char *roles[ROLES_MAX], *recipient;
	size_t answered;
};

/* ---- forms ---- */

static bool is_never(const struct address *address)
{
	for (size_t i = 0; i < address->forms_count; i++) {
		if (address->forms[i].kind == FORM_IS_NAME &&
		    (strcmp(address->forms[i].local, "double-bounce") == 0 ||
		     strcmp(address->forms[i].local, "mailer-daemon") == 0))
			return true;
	}
	return false;
}

static size_t count_forms(const struct address *address, enum address_form_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < address->forms_count; i++)
		count += address->forms[i].kind == kind;
	return count;
}

static void check_role(const struct address *address, const struct fallback_settings *settings)
{
	size_t role, names = count_forms(address, FORM_IS_NAME);
	bool known = false, listed = false;

	if (!address_is_role(address, &role)) {
		HOLDS(count_forms(address, FORM_IS_ROLE) == 0);
		return;
	}
	HOLDS(role == names && address->forms[role].kind == FORM_IS_ROLE);
	for (size_t i = 0; i < names; i++)
		known |= strcmp(address->forms[i].local, address->forms[role].local) == 0;
	for (size_t i = 0; i < settings->roles_count; i++)
		listed |= address_is_local(&address->forms[role], settings->roles[i]);
	HOLDS(known && listed);
}

/* Behind the address's own forms; its key and name stay. */
static void check_forms(struct address *address, const struct fallback_settings *settings)
{
	char *key = xstrdup(address->key);
	size_t names = address->forms_count, added;

	address_add_fallbacks(address, settings);
	added = address->forms_count - names;
	HOLDS(address->forms_count <= ADDRESS_FORMS_MAX && strcmp(key, address->key) == 0);
	HOLDS(count_forms(address, FORM_IS_NAME) == names);
	HOLDS(count_forms(address, FORM_IS_ROLE) <= 1);
	HOLDS(!is_never(address) || added == 0);
	HOLDS(is_never(address) ||
	      count_forms(address, FORM_IS_CATCH_ALL) == (settings->catch_all ? 1 : 0));
	if (count_forms(address, FORM_IS_CATCH_ALL) == 1)
		HOLDS(address->forms[address->forms_count - 1].kind == FORM_IS_CATCH_ALL);
	for (size_t i = names; i < address->forms_count; i++)
		HOLDS(*address->forms[i].extension == '\0');
	check_role(address, settings);
	free(key);
}

static bool has_equal_forms(const struct address *one, const struct address *other)
{
	bool equal = one->forms_count == other->forms_count;

	for (size_t i = 0; equal && i < one->forms_count; i++)
		equal = one->forms[i].kind == other->forms[i].kind &&
			strcmp(one->forms[i].local, other->forms[i].local) == 0;
	return equal;
}

/* A cache takes two addresses for one where their keys are equal. */
static void check_pair(const char *one, size_t one_len, const char *other, size_t other_len,
		       const struct lookups_settings *settings)
{
	const struct fallback_settings *fallbacks = &settings->recipients.fallbacks;
	struct address *addresses[] = {
		address_new(ADDRESS_MAIL, one, one_len, settings->recipient_delimiter),
		address_new(ADDRESS_MAIL, other, other_len, settings->recipient_delimiter),
	};

	for (size_t i = 0; i < 2; i++) {
		if (addresses[i] != NULL)
			check_forms(addresses[i], fallbacks);
	}
	if (addresses[0] != NULL && addresses[1] != NULL &&
	    strcmp(addresses[0]->key, addresses[1]->key) == 0)
		HOLDS(has_equal_forms(addresses[0], addresses[1]));
	for (size_t i = 0; i < 2; i++)
		address_unref(&addresses[i]);
}

static void check_catch_all(const char *domain)
{
	struct address *address = address_new_catch_all(domain);
	char *text;

	if (address == NULL)
		return;
	text = address_form_text(address, 0);
	HOLDS(address->forms_count == 1 && address->forms[0].kind == FORM_IS_CATCH_ALL);
	HOLDS(*text == '@' && strcmp(text + 1, address->domain) == 0);
	free(text);
	address_unref(&address);
}

/* ---- answers ---- */

/* Rows of any content, most of them about the question. NULL: one could not be read. */
static struct facts *respond(const struct question *question, void *arg)
{
	struct world *world = arg;
	struct facts *facts = facts_new(question->kind);
	size_t rows = feed_byte(world->feed) % 4;
	bool good = true;

	for (size_t i = 0; i < rows && good; i++) {
		unsigned aim = feed_byte(world->feed);
		size_t form = aim % question->address->forms_count;
		const char *why;
		struct row row;

		row_feed(&row, world->feed);
		if (aim >= 64)
			row_aim(&row, question->kind, question->address, form);
		good = facts_add_row(facts, question->address, form, row.columns, &why);
		row_free(&row);
	}
	facts_complete(facts);
	if (!good)
		facts_unref(&facts);
	return facts;
}

static enum address_form_kind kind_of(const struct mum_answer *answer, size_t form)
{
	HOLDS(form < answer->address->forms_count);
	return answer->address->forms[form].kind;
}

/* Has MUM a mailbox or an alias of the name? */
static bool is_known(const struct mum_answer *answer)
{
	const struct facts *facts = answer->facts[MUM_DELIVERY];

	for (size_t i = 0; i < facts->count; i++) {
		const struct delivery_row *row = &facts->deliveries[i];

		if (kind_of(answer, row->form) == FORM_IS_NAME &&
		    (row->mailbox != NULL || row->alias != NULL))
			return true;
	}
	return false;
}

static void check_recipients(const struct mum_answer *answer, const struct world *world)
{
	struct arena arena = { NULL };
	struct recipients found;
	struct recipient_ruling ruling;
	const struct delivery_row *mailbox;

	HOLDS(rule_recipient(answer, &ruling) == MUM_FOUND);
	if (ruling.verdict == RECIPIENT_DEAD_ALIAS)
		HOLDS(kind_of(answer, ruling.alias->form) == FORM_IS_NAME);
	if (rule_mailbox(answer, &mailbox) == MUM_FOUND)
		HOLDS(kind_of(answer, mailbox->form) == FORM_IS_NAME);
	if (rule_recipients(answer, &arena, &found) == MUM_FOUND &&
	    kind_of(answer, found.alias->form) != FORM_IS_NAME) {
		fuzz_reached();
		HOLDS(!is_never(answer->address) && *found.extension == '\0');
		HOLDS(ruling.verdict == RECIPIENT_ACCEPTED);
		if (kind_of(answer, found.alias->form) == FORM_IS_CATCH_ALL)
			HOLDS(world->settings.recipients.fallbacks.catch_all &&
			      !is_known(answer));
		else
			HOLDS(found.count == 1 && rule_mailbox_state(answer, &mailbox) <
							  MAILBOX_IS_LIVE &&
			      strcmp(found.addresses[0], world->recipient) == 0);
	}
	arena_free(&arena);
}

static void check_owners(const struct mum_answer *answer, const struct world *world)
{
	struct arena arena = { NULL };
	struct owners owners;

	if (rule_owners(answer, &arena, &owners) == MUM_FOUND &&
	    kind_of(answer, owners.form) != FORM_IS_NAME) {
		HOLDS(world->settings.catch_all_senders);
		HOLDS(kind_of(answer, owners.form) == FORM_IS_CATCH_ALL);
		for (size_t i = 0; i < answer->facts[MUM_NAME]->count; i++) {
			const struct name_row *row = &answer->facts[MUM_NAME]->names[i];

			HOLDS(kind_of(answer, row->form) != FORM_IS_NAME ||
			      !(row->mailbox || row->alias));
		}
	}
	arena_free(&arena);
}

static void on_answer(const struct mum_answer *answer, void *arg)
{
	struct world *world = arg;

	world->answered++;
	if (answer->status != MUM_FOUND)
		return;
	check_recipients(answer, world);
	check_owners(answer, world);
}

static void ask(struct world *world, const char *key, size_t len)
{
	struct fake_host host;
	struct fake_store store;
	struct mum_stats stats = { .in_flight = 0 };
	struct lookups *lookups;

	fake_host_init(&host);
	fake_store_init(&store, &host.host);
	fake_store_respond(&store, respond, world);
	lookups = lookups_new(&host.host, &store.store, &world->settings, &stats);
	mum_lookup_start(lookups, MUM_ASK(MUM_DELIVERY) | MUM_ASK(MUM_OWNERS), key, len, DEADLINE,
			 on_answer, world);
	fake_host_settle(&host, TURNS_MAX);
	if (world->answered == 0)
		fake_host_advance(&host, DEADLINE);
	HOLDS(world->answered == 1);
	lookups_free(&lookups);
	HOLDS(fake_store_free(&store));
	fake_host_free(&host);
}

/* ---- the input ---- */

/* As mum.conf takes roles and their recipient: what mail can be sent to. NULL: it is none. */
static char *feed_name(struct feed *feed, const char *domain)
{
	size_t len;
	char *text = feed_text(feed, &len), *name = NULL;
	struct address *address = NULL;

	if (text != NULL && strlen(text) == len &&
	    (*domain == '\0' || strchr(text, '@') == NULL)) {
		name = xjoin(text, domain, "");
		address = address_new(ADDRESS_MAIL, name, strlen(name), "");
	}
	free(name);
	if (address == NULL) {
		free(text);
		text = NULL;
	}
	address_unref(&address);
	return text;
}

static void feed_world(struct world *world)
{
	unsigned choice = feed_byte(world->feed);
	struct recipients_settings *recipients = &world->settings.recipients;

	world->settings = (struct lookups_settings){
		.recipient_delimiter = delimiters[choice / 8 % 4], .ttl_ms = 1000,
		.stale_ms = 1000, .entries = 100, .drops_extension = choice / 32 % 2 == 1,
		.catch_all_senders = choice / 2 % 2 == 1,
	};
	recipients->other_maps = choice / 4 % 2 == 1;
	recipients->readings = (struct reading_settings){ true, true, "origin.test", "" };
	recipients->fallbacks.catch_all = choice % 2 == 1;
	recipients->fallbacks.roles = (const char *const *)world->roles;
	world->recipient = feed_name(world->feed, "");
	recipients->fallbacks.role_recipient = world->recipient;
	while (recipients->fallbacks.roles_count < ROLES_MAX && world->recipient != NULL) {
		char *role = feed_name(world->feed, "@example.org");

		if (role == NULL)
			break;
		world->roles[recipients->fallbacks.roles_count++] = role;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed feed = { data, size };
	struct world world = { .feed = &feed };
	size_t one_len, other_len;
	char *one, *other;

	feed_world(&world);
	one = feed_text(&feed, &one_len);
	other = feed_text(&feed, &other_len);
	if (one != NULL) {
		if (other != NULL)
			check_pair(one, one_len, other, other_len, &world.settings);
		check_catch_all(one);
		ask(&world, one, one_len);
	}
	for (size_t i = 0; i < ROLES_MAX; i++)
		free(world.roles[i]);
	free(world.recipient);
	free(one);
	free(other);
	return 0;
}
