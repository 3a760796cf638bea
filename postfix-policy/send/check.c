/* SPDX-License-Identifier: MIT */
#include "postfix-policy/send/check.h"

#include <inttypes.h>
#include <stdlib.h>

#include "common/log-text.h"
#include "common/xalloc.h"
#include "postfix-policy/protocol/action.h"

enum { COUNT_MAX = 1000000000 };	/* recipients; far above any burst */

struct send {
	const struct mum_host *host;
	struct decision_counts *decisions;
	struct send_counts *counts;
	enum mum_check mode;	/* never off */
	enum mum_send_reply reply;
	uint64_t period;	/* us */
	struct send_table *table;
	bool changed;
};

struct send *send_new(const struct mum_host *host, const struct mum_config *config,
		      struct decision_counts *decisions, struct send_counts *counts)
{
	struct send *send = xcalloc(1, sizeof(*send));

	send->host = host;
	send->decisions = decisions;
	send->counts = counts;
	send->table = send_table_new();
	send_configure(send, config);
	return send;
}

void send_free(struct send **_send)
{
	struct send *send = *_send;

	*_send = NULL;
	if (send == NULL)
		return;
	send_table_free(&send->table);
	free(send);
}

void send_configure(struct send *send, const struct mum_config *config)
{
	struct send_limits *limits = send_limits_new(config);

	send->mode = config->policy.send;
	send->reply = config->policy.send_reply;
	send->period = (uint64_t)config->policy.send_period * 1000;
	send_table_configure(send->table, &limits, config->policy.send_logins, send->period,
			     host_now_us(send->host));
}

struct send_table *send_table_of(struct send *send)
{
	return send->table;
}

bool send_has_changed(struct send *send)
{
	bool changed = send->changed;

	send->changed = false;
	return changed;
}

/* ---- one request ---- */

struct attempt {
	struct send *send;
	const struct policy_request *request;
	const char *login;	/* the name that it counts under */
	uint64_t now, recipients;
};

static void count(const struct attempt *attempt, enum outcome outcome, enum reason reason)
{
	attempt->send->decisions->checks[CHECK_SEND][outcome][reason]++;
}

/* Anything but a positive number counts as one recipient: a mail has at least one. */
static uint64_t read_count(const struct slice *slice)
{
	uint64_t value = 0;

	for (size_t i = 0; i < slice->len && value < COUNT_MAX; i++) {
		if (slice->data[i] < '0' || slice->data[i] > '9')
			return 1;
		value = value * 10 + (uint64_t)(slice->data[i] - '0');
	}
	return value > 0 ? value : 1;
}

static char *copy(const struct slice *slice)
{
	return slice->len > 0 ? xstrndup(slice->data, slice->len) : xstrdup("");
}

static void log_refusal(const struct attempt *attempt, const char *verb, enum reason reason,
			uint64_t left, const char *action)
{
	const struct policy_request *request = attempt->request;
	char *sender = copy(&request->sender), *recipient = copy(&request->recipient);
	char *login = copy(&request->login), *queue_id = copy(&request->queue_id);
	char *name = copy(&request->client_name), *address = copy(&request->client_address);

	host_log(attempt->send->host, MUM_LOG_INFO,
		 "policy: %s: reason=%s sender=<%s> recipient=<%s> login=<%s> "
		 "client=%s[%s] queue_id=%s recipients=%" PRIu64 " left=%" PRIu64
		 " action=<%s>",
		 verb, reason_name(reason), LOG_TEXT(sender), LOG_TEXT(recipient),
		 LOG_TEXT(login), LOG_WORD(name), LOG_WORD(address),
		 *queue_id != '\0' ? LOG_WORD(queue_id) : "NOQUEUE", attempt->recipients, left,
		 LOG_TEXT(action));
	free(sender);
	free(recipient);
	free(login);
	free(queue_id);
	free(name);
	free(address);
}

/* A warning for the admin, once a period for each login. */
static void warn(const struct attempt *attempt, struct send_entry *entry)
{
	const struct policy_request *request = attempt->request;
	char *name = copy(&request->client_name), *address = copy(&request->client_address);

	if (entry->told == 0 || attempt->now - entry->told >= attempt->send->period) {
		host_log(attempt->send->host, MUM_LOG_WARNING,
			 "policy: send limit: login=<%s> client=%s[%s] sent=%" PRIu64
			 " over=%" PRIu64,
			 LOG_TEXT(entry->login), LOG_WORD(name), LOG_WORD(address), entry->sent,
			 entry->over);
		entry->told = attempt->now;
	}
	free(name);
	free(address);
}

static const char *over_limit(const struct attempt *attempt, struct send_entry *entry)
{
	struct send *send = attempt->send;
	bool never = attempt->recipients > entry->limit->burst;
	enum reason reason = never ? REASON_SEND_LIMIT_MAIL : REASON_SEND_LIMIT;
	enum outcome outcome = OUTCOME_REJECT;
	const char *verb = "reject", *action = action_for_send(send->reply, never);

	if (send->reply == MUM_SEND_HOLD) {
		outcome = OUTCOME_HOLD;
		verb = "hold";
	}
	if (send->mode == MUM_CHECK_WARN) {
		outcome = OUTCOME_WOULD_REJECT;
		verb = "would reject";
		entry->sent += attempt->recipients;
	}
	entry->over += attempt->recipients;
	send->counts->recipients[SEND_OVER] += attempt->recipients;
	count(attempt, outcome, reason);
	log_refusal(attempt, verb, reason, send_entry_left(entry, attempt->now), action);
	warn(attempt, entry);
	return send->mode == MUM_CHECK_WARN ? NULL : action;
}

/* Takes nothing. With "hold" and "warn" only DATA has something to say. */
static const char *peek(const struct attempt *attempt)
{
	struct send *send = attempt->send;
	struct send_entry *entry;

	send->counts->peeks++;
	if (send->mode == MUM_CHECK_WARN || send->reply == MUM_SEND_HOLD)
		return NULL;
	entry = send_table_find(send->table, attempt->login);
	if (entry != NULL && send_entry_left(entry, attempt->now) == 0)
		return over_limit(attempt, entry);
	count(attempt, OUTCOME_DUNNO, REASON_NONE);
	return NULL;
}

static const char *take(const struct attempt *attempt)
{
	struct send *send = attempt->send;
	struct send_entry *entry =
		send_table_get(send->table, attempt->login, attempt->now,
			       send->host->ops->wall(send->host->ctx));

	send->counts->takes++;
	send->changed = true;
	if (!send_table_take(send->table, entry, attempt->recipients, attempt->now))
		return over_limit(attempt, entry);
	send->counts->recipients[entry->limit != NULL ? SEND_TAKEN : SEND_EXEMPT] +=
		attempt->recipients;
	count(attempt, OUTCOME_DUNNO, REASON_NONE);
	return NULL;
}

const char *send_check(struct send *send, const struct policy_request *request)
{
	enum policy_send wants = policy_wants_send(request);
	struct attempt attempt = { send, request, NULL, host_now_us(send->host), 1 };
	const char *action;
	char *login;

	if (wants == POLICY_SEND_NOTHING)
		return NULL;
	login = send_login(request->login.data, request->login.len);
	attempt.login = login;
	if (wants == POLICY_SEND_TAKE)
		attempt.recipients = read_count(&request->recipient_count);
	action = wants == POLICY_SEND_TAKE ? take(&attempt) : peek(&attempt);
	free(login);
	/* Other checks follow only at RCPT, in another context. */
	if (action == NULL &&
	    (wants == POLICY_SEND_TAKE || slice_is(&request->context, "limit")))
		return ACTION_DUNNO;
	return action;
}
