/* SPDX-License-Identifier: MIT */
#include "postfix-policy/session.h"

#include <stdlib.h>
#include <string.h>

#include "common/rules.h"
#include "common/xalloc.h"
#include "postfix-policy/action.h"
#include "postfix-policy/policy.h"

enum { ACTION_MAX = 8192 };	/* bytes; a login may be long */

/* What stays of a request while its checks are under way. */
struct facts_of_request {
	char *sender, *recipient, *login;
	char *client_name, *client_address, *queue_id;
	bool check_recipient, check_sender;
};

/* One client of the policy service; its checks run one after the other. */
struct session {
	struct service *service;
	struct client *client;
	struct facts_of_request request;
	struct mum_lookup *lookup;	/* borrowed; NULL when none */
};

static const struct mum_config *config_of(const struct session *session)
{
	return mum_core_config(session->service->core);
}

static char *copy(const struct slice *slice)
{
	return slice->len > 0 ? xstrndup(slice->data, slice->len) : xstrdup("");
}

static void request_clear(struct facts_of_request *request)
{
	free(request->sender);
	free(request->recipient);
	free(request->login);
	free(request->client_name);
	free(request->client_address);
	free(request->queue_id);
	memset(request, 0, sizeof(*request));
}

static void reply(struct session *session, const char *action)
{
	request_clear(&session->request);
	policy_put_action(client_output(session->client), action);
	client_reply_done(session->client);
}

static void next_check(struct session *session);

/*
 * One line for each refusal, and for each that "warn" let pass. The reason is a
 * stable name.
 */
static void log_refusal(struct session *session, const char *verb, const char *reason,
			const char *action)
{
	const struct facts_of_request *request = &session->request;

	host_log(session->service->host, MUM_LOG_INFO,
		 "policy: %s: reason=%s sender=<%s> recipient=<%s> login=<%s> "
		 "client=%s[%s] queue_id=%s action=<%s>",
		 verb, reason, request->sender, request->recipient, request->login,
		 request->client_name, request->client_address, request->queue_id, action);
}

/* A check came to an action other than DUNNO. */
static void refuse(struct session *session, int mode, const char *reason,
		   const char *action)
{
	if (mode == MUM_CHECK_WARN) {
		log_refusal(session, "would reject", reason, action);
		next_check(session);
		return;
	}
	log_refusal(session, "reject", reason, action);
	reply(session, action);
}

static void no_verdict(struct session *session, int mode)
{
	/* The store has logged its trouble; a line for each mail adds nothing. */
	if (mode == MUM_CHECK_WARN)
		next_check(session);
	else
		reply(session, ACTION_TEMPFAIL);
}

static void on_recipient(const struct mum_answer *answer, void *arg)
{
	struct session *session = arg;
	int mode = config_of(session)->policy.recipient;
	enum recipient_verdict verdict = RECIPIENT_UNKNOWN;
	enum mum_status status = rule_recipient(answer, &verdict);

	session->lookup = NULL;
	if (status != MUM_FOUND && status != MUM_NOT_FOUND)
		no_verdict(session, mode);
	else if (reason_for_recipient(verdict) != NULL)
		refuse(session, mode, reason_for_recipient(verdict),
		       action_for_recipient(verdict));
	else
		next_check(session);
}

static void on_sender(const struct mum_answer *answer, void *arg)
{
	struct session *session = arg;
	const struct mum_config *config = config_of(session);
	struct buf action = BUF_INIT(ACTION_MAX);
	enum sender_verdict verdict = SENDER_ACCEPTED;
	char *text;

	session->lookup = NULL;
	if (rule_sender(answer, session->request.login,
			config->policy.sender_login == MUM_SENDER_KNOWN,
			&verdict) != MUM_FOUND) {
		no_verdict(session, config->policy.sender);
		return;
	}
	if (reason_for_sender(verdict) == NULL) {
		next_check(session);
		return;
	}
	action_put_sender(&action, verdict, session->request.login);
	text = buf_steal(&action);
	refuse(session, config->policy.sender, reason_for_sender(verdict),
	       *text != '\0' ? text : ACTION_TEMPFAIL);
	free(text);
}

static void ask(struct session *session, unsigned questions, const char *key,
		mum_answer_fn *fn)
{
	session->lookup = mum_lookup_start(mum_core_lookups(session->service->core),
					   questions, key, strlen(key),
					   config_of(session)->database.deadline, fn,
					   session);
}

/* The recipient first; when nothing objects, DUNNO. */
static void next_check(struct session *session)
{
	struct facts_of_request *request = &session->request;

	if (request->check_recipient) {
		request->check_recipient = false;
		ask(session, MUM_ASK(MUM_DELIVERY), request->recipient, on_recipient);
	} else if (request->check_sender) {
		request->check_sender = false;
		ask(session, MUM_ASK(MUM_OWNERS), request->sender, on_sender);
	} else {
		reply(session, ACTION_DUNNO);
	}
}

static void keep_request(struct session *session, const struct policy_request *request)
{
	const struct mum_config *config = config_of(session);
	bool logged_in = request->login.len > 0;

	session->request = (struct facts_of_request){
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
}

static long on_request(void *arg, const char *bytes, size_t len, const char **why)
{
	struct session *session = arg;
	struct policy_request request;
	size_t wire_len;

	switch (policy_parse(bytes, len, &request, &wire_len)) {
	case PARSE_MORE:
		return 0;
	case PARSE_BAD:
		*why = "not a policy request of Postfix, or too long";
		return -1;
	case PARSE_DONE:
		break;
	}
	keep_request(session, &request);
	next_check(session);
	return (long)wire_len;
}

static void on_closed(void *arg)
{
	struct session *session = arg;

	mum_lookup_cancel(&session->lookup);
	request_clear(&session->request);
	free(session);
}

static const struct client_handler handler = {
	.name = "policy",
	.request_max = POLICY_REQUEST_MAX,
	.request = on_request,
	.closed = on_closed,
};

void policy_session_start(struct service *service, int fd)
{
	struct session *session = xcalloc(1, sizeof(*session));

	session->service = service;
	session->client = client_new(service->clients, fd, &handler, session);
	if (session->client == NULL)
		free(session);
}
