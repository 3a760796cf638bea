/* SPDX-License-Identifier: MIT */
#include "postfix-policy/decision.h"

#include <stdlib.h>
#include <string.h>

#include "common/log-text.h"
#include "common/rules.h"
#include "common/xalloc.h"

enum { ACTION_MAX = 8192 };	/* bytes; a login may be long */

struct decision {
	const struct mum_host *host;
	struct mum_core *core;
	struct decision_counts *counts;	/* NULL: nobody counts */
	decision_fn *fn;
	void *arg;
	char *sender, *recipient, *login;
	char *client_name, *client_address, *queue_id;	/* for the log */
	bool check_recipient, check_sender;	/* still to be done */
	struct mum_lookup *lookup;		/* borrowed; NULL when none */
};

static void next_check(struct decision *decision);

static const struct mum_config *config_of(const struct decision *decision)
{
	return mum_core_config(decision->core);
}

void decision_cancel(struct decision **_decision)
{
	struct decision *decision = *_decision;

	*_decision = NULL;
	if (decision == NULL)
		return;
	mum_lookup_cancel(&decision->lookup);
	free(decision->sender);
	free(decision->recipient);
	free(decision->login);
	free(decision->client_name);
	free(decision->client_address);
	free(decision->queue_id);
	free(decision);
}

static void finish(struct decision *decision, const char *action)
{
	decision_fn *fn = decision->fn;
	void *arg = decision->arg;

	decision_cancel(&decision);
	fn(action, arg);
}

static void count(struct decision *decision, enum check check, enum outcome outcome,
		  enum reason reason)
{
	if (decision->counts != NULL)
		decision->counts->checks[check][outcome][reason]++;
}

/* One line for each refusal, and for each that "warn" let pass. */
static void log_refusal(const struct decision *decision, const char *verb,
			enum reason reason, const char *action)
{
	host_log(decision->host, MUM_LOG_INFO,
		 "policy: %s: reason=%s sender=<%s> recipient=<%s> login=<%s> "
		 "client=%s[%s] queue_id=%s action=<%s>",
		 verb, reason_name(reason), LOG_TEXT(decision->sender),
		 LOG_TEXT(decision->recipient), LOG_TEXT(decision->login),
		 LOG_WORD(decision->client_name), LOG_WORD(decision->client_address),
		 /* As Postfix says where there is none yet. */
		 *decision->queue_id != '\0' ? LOG_WORD(decision->queue_id) : "NOQUEUE",
		 LOG_TEXT(action));
}

static void accept_one(struct decision *decision, enum check check)
{
	count(decision, check, OUTCOME_DUNNO, REASON_NONE);
	next_check(decision);
}

/* A check came to an action other than DUNNO. */
static void refuse(struct decision *decision, enum check check, int mode,
		   enum reason reason, const char *action)
{
	if (mode == MUM_CHECK_WARN) {
		count(decision, check, OUTCOME_WOULD_REJECT, reason);
		log_refusal(decision, "would reject", reason, action);
		next_check(decision);
		return;
	}
	count(decision, check, OUTCOME_REJECT, reason);
	log_refusal(decision, "reject", reason, action);
	finish(decision, action);
}

/* The store has logged its trouble; a line for each mail adds nothing. */
static void no_verdict(struct decision *decision, enum check check, int mode)
{
	if (mode == MUM_CHECK_WARN) {
		count(decision, check, OUTCOME_WOULD_DEFER, REASON_NO_ANSWER);
		next_check(decision);
		return;
	}
	count(decision, check, OUTCOME_DEFER, REASON_NO_ANSWER);
	finish(decision, ACTION_TEMPFAIL);
}

static void on_recipient(const struct mum_answer *answer, void *arg)
{
	struct decision *decision = arg;
	int mode = config_of(decision)->policy.recipient;
	enum recipient_verdict verdict = RECIPIENT_UNKNOWN;
	enum mum_status status = rule_recipient(answer, &verdict);

	decision->lookup = NULL;
	if (status != MUM_FOUND && status != MUM_NOT_FOUND)
		no_verdict(decision, CHECK_RECIPIENT, mode);
	else if (reason_for_recipient(verdict) != REASON_NONE)
		refuse(decision, CHECK_RECIPIENT, mode, reason_for_recipient(verdict),
		       action_for_recipient(verdict));
	else
		accept_one(decision, CHECK_RECIPIENT);
}

static void on_sender(const struct mum_answer *answer, void *arg)
{
	struct decision *decision = arg;
	const struct mum_config *config = config_of(decision);
	struct buf action = BUF_INIT(ACTION_MAX);
	enum sender_verdict verdict = SENDER_ACCEPTED;
	char *text;

	decision->lookup = NULL;
	if (rule_sender(answer, decision->login,
			config->policy.sender_login == MUM_SENDER_KNOWN,
			&verdict) != MUM_FOUND) {
		no_verdict(decision, CHECK_SENDER, config->policy.sender);
		return;
	}
	if (reason_for_sender(verdict) == REASON_NONE) {
		accept_one(decision, CHECK_SENDER);
		return;
	}
	action_put_sender(&action, verdict, decision->login);
	text = buf_steal(&action);
	refuse(decision, CHECK_SENDER, config->policy.sender, reason_for_sender(verdict),
	       *text != '\0' ? text : ACTION_TEMPFAIL);
	free(text);
}

static void ask(struct decision *decision, unsigned questions, const char *key,
		mum_answer_fn *fn)
{
	decision->lookup = mum_lookup_start(mum_core_lookups(decision->core), questions, key,
					    strlen(key),
					    config_of(decision)->database.deadline, fn,
					    decision);
}

/* The recipient first; when nothing objects, DUNNO. */
static void next_check(struct decision *decision)
{
	if (decision->check_recipient) {
		decision->check_recipient = false;
		ask(decision, MUM_ASK(MUM_DELIVERY), decision->recipient, on_recipient);
	} else if (decision->check_sender) {
		decision->check_sender = false;
		ask(decision, MUM_ASK(MUM_OWNERS), decision->sender, on_sender);
	} else {
		finish(decision, ACTION_DUNNO);
	}
}

static char *copy(const struct slice *slice)
{
	return slice->len > 0 ? xstrndup(slice->data, slice->len) : xstrdup("");
}

struct decision *decision_start(const struct mum_host *host, struct mum_core *core,
				struct decision_counts *counts,
				const struct policy_request *request, decision_fn *fn,
				void *arg)
{
	struct decision *decision = xmalloc(sizeof(*decision));
	const struct mum_config *config = mum_core_config(core);
	bool logged_in = request->login.len > 0;

	*decision = (struct decision){
		.host = host,
		.core = core,
		.counts = counts,
		.fn = fn,
		.arg = arg,
		.sender = copy(&request->sender),
		.recipient = copy(&request->recipient),
		.login = copy(&request->login),
		.client_name = copy(&request->client_name),
		.client_address = copy(&request->client_address),
		.queue_id = copy(&request->queue_id),
		.check_recipient = policy_wants_recipient(request) &&
				   config->policy.recipient != MUM_CHECK_OFF &&
				   request->recipient.len > 0,
		/* The null sender is everybody's (RFC 5321 section 4.5.5). */
		.check_sender = policy_wants_sender(request) &&
				config->policy.sender != MUM_CHECK_OFF &&
				request->sender.len > 0 &&
				(logged_in || config->policy.sender_unauthenticated ==
						      MUM_UNAUTHENTICATED_REJECT),
	};
	if (!decision->check_recipient && !decision->check_sender) {
		if (counts != NULL)
			counts->unchecked++;
		finish(decision, ACTION_DUNNO);
		return NULL;
	}
	next_check(decision);
	return decision;
}
