/* SPDX-License-Identifier: MIT */
#include "postfix-policy/decision.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/log-text.h"
#include "common/rules.h"
#include "common/xalloc.h"
#include "postfix-policy/quota/check.h"

enum {
	ACTION_MAX = 8192,	/* bytes; a login may be long */
	TYPICAL_TEXTS = 256	/* bytes; of a request, all that is copied */
};

/* The lookups for one reading of the address. */
struct part {
	struct decision *decision;
	struct mum_lookup *lookup, *domain;	/* borrowed; NULL when none */
};

struct decision {
	const struct mum_host *host;
	struct mum_core *core;
	struct decision_counts *counts;	/* NULL: nobody counts */
	decision_fn *fn;
	void *arg;
	struct arena texts;			/* owns those of the request: */
	const char *sender, *recipient, *login;
	const char *client_name, *client_address, *queue_id;	/* for the log */
	bool check_recipient, check_sender, check_quota;	/* still to be done */
	enum check check;			/* being done */
	struct readings readings;		/* of the address that is being judged */
	size_t waiting;				/* lookups in flight */
	struct part parts[READINGS_MAX];
	struct judged judged[READINGS_MAX];
	/* Copied, because the core may be gone when the service answers. */
	enum mum_check quota_mode;
	enum mum_quota_reply quota_reply;
	struct quota_client *quota_client;
	struct quota_check *quota;		/* borrowed; NULL when none */
	uint64_t size;
	char detail[64];			/* for the log: "", or name=value and a blank */
	const struct decision_watch *watch;	/* NULL: nobody watches */
};

/* What a check has come to. */
enum step {
	PASSED,			/* the next check may begin */
	WAITS,			/* answers are to come */
	ENDED			/* the decision is made, and freed */
};

/* Begins the checks that are left after such a step. Returns what they have come to. */
static enum step go_on(struct decision *decision, enum step step);

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
	for (size_t i = 0; i < decision->readings.count; i++) {
		mum_lookup_cancel(&decision->parts[i].lookup);
		mum_lookup_cancel(&decision->parts[i].domain);
	}
	quota_check_cancel(&decision->quota);
	readings_free(&decision->readings);
	arena_free(&decision->texts);
	free(decision);
}

static enum step finish(struct decision *decision, const char *action)
{
	decision_fn *fn = decision->fn;
	void *arg = decision->arg;

	decision_cancel(&decision);
	fn(action, arg);
	return ENDED;
}

static void count(struct decision *decision, enum outcome outcome, enum reason reason)
{
	if (decision->counts != NULL)
		decision->counts->checks[decision->check][outcome][reason]++;
}

/* The mode of the check that is being done. */
static enum mum_check mode_of(const struct decision *decision)
{
	if (decision->check == CHECK_QUOTA)
		return decision->quota_mode;
	return decision->check == CHECK_RECIPIENT ? config_of(decision)->policy.recipient
						  : config_of(decision)->policy.sender;
}

/* Logs a line for each refusal, also for one that "warn" lets pass. */
static void log_refusal(const struct decision *decision, const char *verb,
			enum reason reason, const char *action)
{
	host_log(decision->host, MUM_LOG_INFO,
		 "policy: %s: reason=%s sender=<%s> recipient=<%s> login=<%s> "
		 "client=%s[%s] queue_id=%s %saction=<%s>",
		 verb, reason_name(reason), LOG_TEXT(decision->sender),
		 LOG_TEXT(decision->recipient), LOG_TEXT(decision->login),
		 LOG_WORD(decision->client_name), LOG_WORD(decision->client_address),
		 /* What Postfix writes when there is no queue ID yet. */
		 *decision->queue_id != '\0' ? LOG_WORD(decision->queue_id) : "NOQUEUE",
		 decision->detail, LOG_TEXT(action));
}

/* The check does not object. reason: REASON_NONE, or why it could not judge. */
static enum step accept_one(struct decision *decision, enum reason reason)
{
	count(decision, OUTCOME_DUNNO, reason);
	return PASSED;
}

/* The check warns, and the mail passes. Quota is asked only where the recipient passed. */
static enum step warn(struct decision *decision, enum outcome outcome, enum reason reason)
{
	count(decision, outcome, reason);
	if (decision->check == CHECK_RECIPIENT)
		decision->check_quota = false;
	return PASSED;
}

/* The check objects. */
static enum step refuse(struct decision *decision, enum reason reason, const char *action)
{
	if (mode_of(decision) == MUM_CHECK_WARN) {
		log_refusal(decision, "would reject", reason, action);
		return warn(decision, OUTCOME_WOULD_REJECT, reason);
	}
	count(decision, OUTCOME_REJECT, reason);
	log_refusal(decision, "reject", reason, action);
	return finish(decision, action);
}

/*
 * Logs nothing: the store has logged its failure, and a line for each mail adds nothing.
 */
static enum step no_verdict(struct decision *decision)
{
	if (mode_of(decision) == MUM_CHECK_WARN)
		return warn(decision, OUTCOME_WOULD_DEFER, REASON_NO_ANSWER);
	count(decision, OUTCOME_DEFER, REASON_NO_ANSWER);
	return finish(decision, ACTION_TEMPFAIL);
}

static enum step refuse_sender(struct decision *decision, enum sender_verdict verdict)
{
	struct buf action = BUF_INIT(ACTION_MAX);
	char *text;
	enum step step;

	action_put_sender(&action, verdict, decision->login);
	text = buf_steal(&action);
	step = refuse(decision, reason_for_sender(verdict),
		      *text != '\0' ? text : ACTION_TEMPFAIL);
	free(text);
	return step;
}

/* Draws the conclusion when all readings are judged. */
static enum step conclude(struct decision *decision)
{
	size_t count = decision->readings.count;
	int verdict;

	if (decision->watch != NULL)
		decision->watch->on_judged(rule_readings_end(decision->judged, count),
					   decision->watch->arg);
	if (rule_strictest(decision->judged, count, &verdict) != MUM_FOUND)
		return no_verdict(decision);
	if (decision->check == CHECK_RECIPIENT) {
		enum recipient_verdict recipient = (enum recipient_verdict)verdict;
		enum reason reason = reason_for_recipient(recipient);

		return reason == REASON_NONE
			       ? accept_one(decision, REASON_NONE)
			       : refuse(decision, reason, action_for_recipient(recipient));
	}
	return reason_for_sender((enum sender_verdict)verdict) == REASON_NONE
		       ? accept_one(decision, REASON_NONE)
		       : refuse_sender(decision, (enum sender_verdict)verdict);
}

static struct judged *judged_of(const struct part *part)
{
	return &part->decision->judged[part - part->decision->parts];
}

static void judge_recipient(const struct mum_answer *answer, struct judged *judged)
{
	struct recipient_ruling ruling = { .verdict = RECIPIENT_UNKNOWN };

	judged->status = rule_recipient(answer, &ruling);
	if (judged->status == MUM_NOT_FOUND)	/* no such address can exist */
		judged->status = MUM_FOUND;
	judged->verdict = ruling.verdict;
}

static void judge_sender(const struct decision *decision, const struct mum_answer *answer,
			 struct judged *judged)
{
	enum sender_verdict verdict = SENDER_ACCEPTED;

	judged->status = rule_sender(answer, decision->login,
				     config_of(decision)->policy.sender_login ==
					     MUM_SENDER_KNOWN, &verdict);
	judged->verdict = verdict;
}

static enum step answered(struct decision *decision)
{
	return --decision->waiting > 0 ? WAITS : conclude(decision);
}

static void on_reading(const struct mum_answer *answer, void *arg)
{
	struct part *part = arg;
	struct decision *decision = part->decision;
	size_t at = (size_t)(part - decision->parts);

	part->lookup = NULL;
	if (decision->check == CHECK_RECIPIENT)
		judge_recipient(answer, judged_of(part));
	else
		judge_sender(decision, answer, judged_of(part));
	if (decision->watch != NULL)
		decision->watch->on_reading(at, decision->readings.items[at].text, answer,
					    decision->watch->arg);
	(void)go_on(decision, answered(decision));
}

static void on_domain(const struct mum_answer *answer, void *arg)
{
	struct part *part = arg;
	struct decision *decision = part->decision;
	const char *name;

	part->domain = NULL;
	judged_of(part)->domain = rule_domain(answer, &name);
	(void)go_on(decision, answered(decision));
}

static struct mum_lookup *ask(struct decision *decision, enum question_kind kind,
			      const char *key, mum_answer_fn *fn, struct part *part)
{
	decision->waiting++;
	return mum_core_ask(decision->core, MUM_ASK(kind) | MUM_AT_ONCE, key, strlen(key),
			    config_of(decision)->database.deadline, fn, part);
}

/* Asks about all readings at once, so that one deadline holds for all. */
static enum step ask_all(struct decision *decision)
{
	const struct readings *readings = &decision->readings;
	enum question_kind kind =
		decision->check == CHECK_RECIPIENT ? MUM_DELIVERY : MUM_OWNERS;

	decision->waiting = 1;	/* for us: some may be answered before all are asked */
	for (size_t i = 0; i < readings->count; i++) {
		const struct reading *reading = &readings->items[i];
		struct part *part = &decision->parts[i];

		*part = (struct part){ .decision = decision };
		decision->judged[i] = (struct judged){ .if_local = reading->if_local };
		part->lookup = ask(decision, kind, reading->text, on_reading, part);
		if (i + 1 < readings->count && reading[1].if_local)
			part->domain = ask(decision, MUM_DOMAIN, reading_domain(reading),
					   on_domain, part);
	}
	return answered(decision);
}

static enum step judge(struct decision *decision, enum check check, const char *text)
{
	const struct reading_settings settings = mum_config_readings(config_of(decision));

	decision->check = check;
	readings_free(&decision->readings);
	if (!readings_make(&decision->readings, text, &settings))
		return refuse(decision, REASON_TOO_MANY_READINGS, ACTION_TOO_MANY_READINGS);
	return ask_all(decision);
}

/* ---- quota ---- */

/* The reason to count for a verdict that refuses nothing. */
static enum reason reason_for_quota(const struct quota_verdict *verdict)
{
	bool answered = verdict->mailboxes == MAILBOXES_FOUND
				? verdict->answer >= QUOTA_UNKNOWN
				: verdict->mailboxes != MAILBOXES_NO_ANSWER;

	return answered ? REASON_NONE : REASON_NO_ANSWER;
}

static void on_quota(const struct quota_verdict *verdict, void *arg)
{
	struct decision *decision = arg;

	decision->quota = NULL;
	if (!verdict->full) {
		(void)go_on(decision, accept_one(decision, reason_for_quota(verdict)));
		return;
	}
	snprintf(decision->detail, sizeof(decision->detail), "size=%" PRIu64 " asked=%zu ",
		 decision->size, verdict->asked);
	(void)go_on(decision, refuse(decision, REASON_OVER_QUOTA,
				     action_for_quota(decision->quota_reply,
						      verdict->count == 1)));
}

static enum step ask_quota(struct decision *decision)
{
	decision->check = CHECK_QUOTA;
	decision->quota = quota_check_start(decision->host, decision->core,
					    decision->quota_client, decision->recipient,
					    decision->size, on_quota, decision);
	return decision->quota != NULL ? WAITS : accept_one(decision, REASON_NO_ANSWER);
}

/* ---- one check after the other ---- */

/* Checks the recipient, then the sender, then the quota; DUNNO when none objects. */
static enum step start_next(struct decision *decision)
{
	if (decision->check_recipient) {
		decision->check_recipient = false;
		return judge(decision, CHECK_RECIPIENT, decision->recipient);
	}
	if (decision->check_sender) {
		decision->check_sender = false;
		return judge(decision, CHECK_SENDER, decision->sender);
	}
	if (decision->check_quota) {
		decision->check_quota = false;
		return ask_quota(decision);
	}
	return finish(decision, ACTION_DUNNO);
}

static enum step go_on(struct decision *decision, enum step step)
{
	while (step == PASSED)
		step = start_next(decision);
	return step;
}

static const char *copy(struct decision *decision, const struct slice *slice)
{
	return slice->len > 0 ? arena_strndup(&decision->texts, slice->data, slice->len) : "";
}

static void copy_texts(struct decision *decision, const struct policy_request *request)
{
	decision->sender = copy(decision, &request->sender);
	decision->recipient = copy(decision, &request->recipient);
	decision->login = copy(decision, &request->login);
	decision->client_name = copy(decision, &request->client_name);
	decision->client_address = copy(decision, &request->client_address);
	decision->queue_id = copy(decision, &request->queue_id);
}

struct decision *decision_start(const struct decider *decider,
				const struct policy_request *request, decision_fn *fn,
				void *arg)
{
	struct decision *decision = xmalloc(sizeof(*decision));
	const struct mum_config *config = mum_core_config(decider->core);
	bool logged_in = request->login.len > 0;

	*decision = (struct decision){
		.host = decider->host,
		.core = decider->core,
		.counts = decider->counts,
		.watch = decider->watch,
		.fn = fn,
		.arg = arg,
		.check_recipient = policy_wants_recipient(request) &&
				   config->policy.recipient != MUM_CHECK_OFF &&
				   request->recipient.len > 0,
		/* The null sender is everybody's (RFC 5321 section 4.5.5). */
		.check_sender = policy_wants_sender(request) &&
				config->policy.sender != MUM_CHECK_OFF &&
				request->sender.len > 0 &&
				(logged_in || config->policy.sender_unauthenticated ==
						      MUM_UNAUTHENTICATED_REJECT),
		.check_quota = policy_wants_recipient(request) && decider->quota != NULL &&
			       config->policy.quota != MUM_CHECK_OFF &&
			       request->recipient.len > 0,
		.quota_mode = config->policy.quota,
		.quota_reply = config->policy.quota_reply,
		.quota_client = decider->quota,
		.size = quota_read_size(&request->size),
	};
	arena_reserve(&decision->texts, TYPICAL_TEXTS);
	copy_texts(decision, request);
	if (!decision->check_recipient && !decision->check_sender && !decision->check_quota) {
		if (decider->counts != NULL)
			decider->counts->unchecked++;
		(void)finish(decision, ACTION_DUNNO);
		return NULL;
	}
	return go_on(decision, PASSED) == WAITS ? decision : NULL;
}
