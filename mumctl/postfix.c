/* SPDX-License-Identifier: MIT */
#include "mumctl/postfix.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "postfix-policy/decision.h"
#include "postfix-policy/socketmap.h"

/* ---- socketmap ---- */

/* Our own reply, a whole netstring, back into word and value. */
static void read_reply(const struct buf *wire, struct map_reply *reply)
{
	struct netstring frame;

	if (netstring_parse(wire->data, wire->len, SOCKETMAP_REPLY_MAX, &frame) !=
	    PARSE_DONE)
		return;
	reply->wire = xstrndup(frame.data, frame.len);
	if (strncmp(reply->wire, "OK ", 3) != 0)
		return;
	reply->status = MUM_FOUND;
	reply->value = xstrndup(frame.data + 3, frame.len - 3);
}

static void ask(struct tool *tool, const struct socketmap_map *map, const char *key,
		struct map_reply *reply_r)
{
	struct buf wire = BUF_INIT(SOCKETMAP_REPLY_MAX + 16);
	struct asked asked;
	struct socketmap_outcome outcome;

	tool_ask(tool, MUM_ROLE_POSTFIX, socketmap_questions(map), key, &asked);
	outcome = socketmap_put_answer(&wire, map, &asked.answer);
	*reply_r = (struct map_reply){ .status = asked.answer.status, .ms = asked.ms };
	reply_r->bad_value = outcome.result == SOCKETMAP_BAD_VALUE;
	if (reply_r->status == MUM_FOUND)
		reply_r->status = reply_r->bad_value ? MUM_TEMPFAIL : MUM_NOT_FOUND;
	read_reply(&wire, reply_r);
	if (outcome.cure != NULL)
		reply_r->why = xstrdup(outcome.cure);
	else if (reply_r->status != MUM_FOUND && reply_r->status != MUM_NOT_FOUND &&
		 asked.reason != NULL)
		reply_r->why = xstrdup(asked.reason);
	buf_free(&wire);
	asked_free(&asked);
}

bool postfix_ask_map(struct tool *tool, const char *map, const char *key,
		     struct map_reply *reply_r)
{
	size_t len = strlen(map) + 1 + strlen(key);
	char *wire = xasprintf("%zu:%s %s,", len, map, key);
	struct socketmap_request request;
	size_t wire_len;
	/* A map with a blank in its name would be another map with another key. */
	bool known = strchr(map, ' ') == NULL &&
		     socketmap_parse(wire, strlen(wire), &request, &wire_len) ==
			     PARSE_DONE && request.map != NULL;

	if (known)
		ask(tool, request.map, key, reply_r);
	free(wire);
	return known;
}

void map_reply_free(struct map_reply *reply)
{
	free(reply->value);
	free(reply->wire);
	free(reply->why);
	reply->value = reply->wire = reply->why = NULL;
}

/* ---- policy ---- */

static void on_action(const char *action, void *arg)
{
	*(char **)arg = xstrdup(action);
}

char *postfix_ask_policy(struct tool *tool, const char *const *attributes)
{
	struct buf wire = BUF_INIT(POLICY_REQUEST_MAX);
	struct mum_core *core = tool_core(tool, MUM_ROLE_POSTFIX);
	struct policy_request request;
	char *action = NULL;
	size_t wire_len;
	bool good = true;

	buf_puts(&wire, "request=smtpd_access_policy\nprotocol_state=RCPT\n");
	for (; *attributes != NULL; attributes++) {
		/* A line end would make two attributes of one, an empty one is the end. */
		good = good && **attributes != '\0' && **attributes != '=' &&
		       strchr(*attributes, '\n') == NULL;
		buf_printf(&wire, "%s\n", *attributes);
	}
	buf_puts(&wire, "\n");
	good = good && !wire.failed &&
	       policy_parse(wire.data, wire.len, &request, &wire_len) == PARSE_DONE;
	if (good) {
		(void)decision_start(&tool->host.host, core, NULL, &request, on_action,
				     &action);
		while (action == NULL)
			tool_wait(tool);
	}
	buf_free(&wire);
	return action;
}
