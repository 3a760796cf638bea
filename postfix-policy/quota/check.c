/* SPDX-License-Identifier: MIT */
#include "postfix-policy/quota/check.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

struct quota_check {
	const struct mum_host *host;
	struct quota_client *client;
	uint64_t size;
	uint64_t until;			/* host_now() */
	quota_check_fn *fn;
	void *arg;
	struct mailboxes_walk *walk;	/* first; NULL when done */
	char **names;			/* of the mailboxes */
	size_t count, asked;
	struct quota_question *question;	/* about the last one that was asked */
};

void quota_check_cancel(struct quota_check **_check)
{
	struct quota_check *check = *_check;

	*_check = NULL;
	if (check == NULL)
		return;
	mailboxes_cancel(&check->walk);
	quota_cancel(&check->question);
	for (size_t i = 0; i < check->count; i++)
		free(check->names[i]);
	free(check->names);
	free(check);
}

/* Frees the check first, and calls last. The verdict's name is copied. */
static void finish(struct quota_check *check, struct quota_verdict *verdict)
{
	quota_check_fn *fn = check->fn;
	void *arg = check->arg;
	char *name = xstrdup(verdict->name);

	verdict->name = name;
	verdict->count = check->count;
	verdict->asked = check->asked;
	quota_check_cancel(&check);
	fn(verdict, arg);
	free(name);
}

static void on_answer(enum quota_answer answer, const char *text, void *arg);

/* Ends with an answer about a mailbox that Dovecot was not asked about. */
static void finish_unasked(struct quota_check *check, enum quota_answer answer,
			   const char *name, const char *why)
{
	struct quota_verdict verdict = { .mailboxes = MAILBOXES_FOUND, .answer = answer,
					 .text = why, .name = name };

	finish(check, &verdict);
}

static void ask_next(struct quota_check *check)
{
	const char *name = check->names[check->asked];
	uint64_t now = host_now(check->host);

	if (!quota_can_ask(name)) {
		finish_unasked(check, QUOTA_UNKNOWN, name, "Dovecot is not asked about such names");
		return;
	}
	if (quota_client_knows_room(check->client, name, check->size)) {
		finish_unasked(check, QUOTA_ROOM, name, "it had room a moment ago");
		return;
	}
	if (quota_client_awaits(check->client, name)) {
		finish_unasked(check, QUOTA_NO_ANSWER, name, QUOTA_AWAITED);
		return;
	}
	check->question = quota_ask(check->client, name, check->size,
				    now < check->until ? (unsigned)(check->until - now) : 0,
				    on_answer, check);
	if (check->question == NULL)
		finish_unasked(check, QUOTA_NO_ANSWER, name, "the service is down");
	else
		check->asked++;
}

static void on_answer(enum quota_answer answer, const char *text, void *arg)
{
	struct quota_check *check = arg;
	struct quota_verdict verdict = { .mailboxes = MAILBOXES_FOUND, .answer = answer,
					 .text = text,
					 .name = check->names[check->asked - 1] };

	check->question = NULL;
	verdict.full = answer == QUOTA_FULL;
	if (verdict.full && check->asked < check->count)
		ask_next(check);
	else
		finish(check, &verdict);
}

static void on_mailboxes(const struct mailboxes *found, void *arg)
{
	struct quota_check *check = arg;
	struct quota_verdict verdict = { .mailboxes = found->status, .name = found->name };

	check->walk = NULL;
	if (found->status != MAILBOXES_FOUND) {
		finish(check, &verdict);
		return;
	}
	check->names = xcalloc(found->count, sizeof(*check->names));
	for (; check->count < found->count; check->count++)
		check->names[check->count] = xstrdup(found->names[check->count]);
	ask_next(check);
}

struct quota_check *quota_check_start(const struct mum_host *host, struct mum_core *core,
				      struct quota_client *client, const char *recipient,
				      uint64_t size, quota_check_fn *fn, void *arg)
{
	const struct mum_config *config = mum_core_config(core);
	unsigned deadline = config->policy.quota_deadline;
	struct quota_check *check;

	if (quota_client_skips(client))
		return NULL;
	check = xcalloc(1, sizeof(*check));
	check->host = host;
	check->client = client;
	check->size = size;
	check->until = host_now(host) + deadline;
	check->fn = fn;
	check->arg = arg;
	check->walk = mailboxes_find(host, core, recipient, config->policy.quota_recipients,
				     deadline, on_mailboxes, check);
	return check;
}
