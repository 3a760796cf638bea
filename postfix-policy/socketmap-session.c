/* SPDX-License-Identifier: MIT */
#include "postfix-policy/session.h"

#include <stdlib.h>

#include "common/log-text.h"
#include "common/xalloc.h"
#include "postfix-policy/protocol/socketmap.h"

/* One client of the socketmap service; holds at most one lookup. */
struct session {
	struct service *service;
	struct client *client;
	const struct socketmap_map *map;	/* of the request under way */
	struct mum_lookup *lookup;		/* borrowed; NULL when none */
	bool warned;				/* about a map that does not exist */
};

static void on_answer(const struct mum_answer *answer, void *arg)
{
	struct session *session = arg;
	struct service *service = session->service;
	const char *map = socketmap_name(session->map);
	struct socketmap_outcome outcome;

	session->lookup = NULL;
	outcome = socketmap_put_answer(client_output(session->client), session->map, answer);
	service->metrics->requests[socketmap_number(session->map)][outcome.result]++;
	if (outcome.reason != REASON_NONE)
		host_log(service->host, MUM_LOG_INFO, "socketmap: reject: reason=%s map=%s "
			 "key=<%s>", reason_name(outcome.reason), map,
			 LOG_TEXT(answer->address->name));
	if (outcome.fault != NULL)
		host_log(service->host, MUM_LOG_ERROR, "socketmap: no answer: reason=%s map=%s "
			 "key=<%s>: %s", outcome.fault, map, LOG_TEXT(answer->address->name),
			 outcome.cure);
	client_reply_done(session->client);
}

/* Logged once for each client: Postfix asks again with every mail. */
static void refuse_map(struct session *session, const struct socketmap_request *request)
{
	char *name = xstrndup(request->name, request->name_len);

	if (!session->warned)
		host_log(session->service->host, MUM_LOG_WARNING,
			 "socketmap: no map is named <%s>; see mumd(8) for their names",
			 LOG_TEXT(name));
	free(name);
	session->warned = true;
	session->service->metrics->unknown_maps++;
	socketmap_put_perm(client_output(session->client), "no such map");
	client_reply_done(session->client);
}

static long on_request(void *arg, const char *bytes, size_t len, const char **why)
{
	struct session *session = arg;
	struct mum_core *core = session->service->core;
	struct socketmap_request request;
	size_t wire_len;

	switch (socketmap_parse(bytes, len, &request, &wire_len)) {
	case PARSE_MORE:
		return 0;
	case PARSE_BAD:
		*why = "not a netstring that holds a map name, a blank and a key";
		return -1;
	case PARSE_DONE:
		break;
	}
	if (request.map == NULL) {
		refuse_map(session, &request);
		return (long)wire_len;
	}
	session->map = request.map;
	session->lookup = mum_core_ask(core,
				       MUM_ASK(socketmap_question(request.map)) | MUM_AT_ONCE,
				       request.key, request.key_len,
				       mum_core_config(core)->database.deadline, on_answer,
				       session);
	return (long)wire_len;
}

static void on_closed(void *arg)
{
	struct session *session = arg;

	mum_lookup_cancel(&session->lookup);
	free(session);
}

static const struct client_handler handler = {
	.name = "socketmap",
	/* Room for the digits of the length, the colon and the comma. */
	.request_max = SOCKETMAP_REQUEST_MAX + 16,
	.request = on_request,
	.closed = on_closed,
};

void socketmap_session_start(struct service *service, int fd)
{
	struct session *session = xcalloc(1, sizeof(*session));

	session->service = service;
	session->client = client_new(service->clients, fd, &handler, session);
	if (session->client == NULL)
		free(session);
}
