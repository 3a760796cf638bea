/* SPDX-License-Identifier: MIT */
#include "postfix-policy/session.h"

#include <stdlib.h>

#include "common/xalloc.h"
#include "postfix-policy/decision.h"
#include "postfix-policy/protocol/policy.h"
#include "postfix-policy/send/check.h"

/* One client of the policy service; holds at most one decision. */
struct session {
	struct service *service;
	struct client *client;
	struct decision *decision;	/* borrowed; NULL when none */
};

static void on_action(const char *action, void *arg)
{
	struct session *session = arg;

	session->decision = NULL;
	policy_put_action(client_output(session->client), action);
	client_reply_done(session->client);
}

static void decide(struct session *session, const struct policy_request *request)
{
	struct service *service = session->service;
	const struct decider decider = { .host = service->host, .core = service->core,
					 .quota = service->quota,
					 .counts = &service->metrics->decisions };
	const char *action = NULL;

	/* First, because it asks nobody: a flood is no load for the database. */
	if (service->send != NULL)
		action = send_check(service->send, request);
	if (action != NULL)
		on_action(action, session);
	else
		session->decision = decision_start(&decider, request, on_action, session);
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
	decide(session, &request);
	return (long)wire_len;
}

static void on_closed(void *arg)
{
	struct session *session = arg;

	decision_cancel(&session->decision);
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
