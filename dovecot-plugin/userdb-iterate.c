/* SPDX-License-Identifier: MIT */
#include "dovecot-plugin/dovecot.h"

#include "dovecot-plugin/userdb-iterate.h"

#include "common/log-text.h"
#include "common/rules-users.h"

struct listing {
	struct userdb_iterate_context context;	/* Dovecot's view */
	struct instance *instance;
	struct mum_lookup *lookup;	/* for the next page, or NULL */
	struct facts *page;		/* the current page, or NULL */
	size_t at;			/* its next row */
	uint64_t last_id;
	bool wanted;			/* Dovecot waits for the next user */
	bool done;
};

static void fetch_page(struct listing *listing);

/* Gives Dovecot the next user or the end, or starts to fetch the next page. */
static void give_next(struct listing *listing)
{
	const char *user = NULL;

	while (user == NULL && listing->page != NULL &&
	       listing->at < listing->page->count) {
		const struct listed_row *row = &listing->page->listed[listing->at++];

		listing->last_id = row->id;
		if (rule_is_listed(row))
			user = row->mailbox.address;
	}
	if (user == NULL && !listing->done) {
		fetch_page(listing);
		return;
	}
	listing->wanted = FALSE;
	listing->context.callback(user, listing->context.context);
}

static void on_page(const struct mum_answer *facts, void *arg)
{
	struct listing *listing = arg;

	listing->lookup = NULL;
	facts_unref(&listing->page);
	if (facts->status == MUM_FOUND) {
		listing->page = facts_ref(facts->facts[MUM_USERS]);
		listing->at = 0;
		listing->done = listing->page->count == 0;
	} else {
		e_error(authdb_event(listing->context.auth_request), "%s", LOG_TEXT(facts->reason));
		listing->context.failed = TRUE;
		listing->done = TRUE;
	}
	if (listing->wanted)
		give_next(listing);
}

static void fetch_page(struct listing *listing)
{
	const char *after = t_strdup_printf("%llu", (unsigned long long)listing->last_id);

	if (listing->lookup != NULL)
		return;
	listing->lookup = mum_core_ask(
		instance_core(listing->instance), MUM_ASK(MUM_USERS), after, strlen(after),
		 instance_config(listing->instance)->database.deadline,
		on_page, listing);
}

struct userdb_iterate_context *
userdb_iterate_start(struct instance *instance, struct auth_request *request,
		     void (*callback)(const char *user, void *context), void *context)
{
	struct listing *listing = i_new(struct listing, 1);

	auth_request_ref(request);
	listing->context.auth_request = request;
	listing->context.callback = callback;
	listing->context.context = context;
	listing->instance = instance;
	return &listing->context;
}

void userdb_iterate_next(struct userdb_iterate_context *context)
{
	struct listing *listing = container_of(context, struct listing, context);

	listing->wanted = TRUE;
	if (listing->lookup == NULL)
		give_next(listing);
}

int userdb_iterate_end(struct userdb_iterate_context *context)
{
	struct listing *listing = container_of(context, struct listing, context);
	int ret = context->failed ? -1 : 0;

	mum_lookup_cancel(&listing->lookup);
	facts_unref(&listing->page);
	auth_request_unref(&context->auth_request);
	i_free(listing);
	return ret;
}
