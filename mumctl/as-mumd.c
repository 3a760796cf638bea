/* SPDX-License-Identifier: MIT */
#include "mumctl/as-mumd.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"
#include "postfix-policy/decision.h"

/* ---- socketmap ---- */

static enum mum_status status_of(enum socketmap_result result)
{
	switch (result) {
	case SOCKETMAP_FOUND:		return MUM_FOUND;
	case SOCKETMAP_NOT_FOUND:	return MUM_NOT_FOUND;
	case SOCKETMAP_MISCONFIGURED:	return MUM_MISCONFIGURED;
	case SOCKETMAP_TEMPFAIL:
	case SOCKETMAP_BAD_VALUE:
	case SOCKETMAP_RESULTS:
		break;
	}
	return MUM_TEMPFAIL;
}

void mumd_answer_map(enum socketmap_number map, const struct asked *asked,
		     struct map_reply *reply_r)
{
	struct buf value = BUF_INIT(SOCKETMAP_VALUE_MAX), text = BUF_INIT(SOCKETMAP_REPLY_MAX);
	struct socketmap_outcome outcome =
		socketmap_put_value(&value, socketmap_by_number(map), &asked->answer);
	const char *why = outcome.cure != NULL ? outcome.cure : asked->reason;

	socketmap_put_text(&text, outcome.result, &value);
	*reply_r = (struct map_reply){
		.status = status_of(outcome.result),
		.bad_value = outcome.result == SOCKETMAP_BAD_VALUE,
		.text = buf_steal(&text),
	};
	if (reply_r->status == MUM_FOUND)
		reply_r->value = buf_steal(&value);
	else if (reply_r->status != MUM_NOT_FOUND && why != NULL)
		reply_r->why = xstrdup(why);
	buf_free(&value);
}

bool mumd_ask(struct tool *tool, enum socketmap_number number, const char *key,
	      struct asked *asked_r)
{
	const struct socketmap_map *map = socketmap_by_number(number);

	if (strlen(socketmap_name(map)) + 1 + strlen(key) > SOCKETMAP_REQUEST_MAX)
		return false;
	tool_ask(tool, MUM_ROLE_POSTFIX, MUM_ASK(socketmap_question(map)), key, asked_r);
	return true;
}

bool mumd_ask_map(struct tool *tool, enum socketmap_number map, const char *key,
		  struct map_reply *reply_r)
{
	struct asked asked;

	if (!mumd_ask(tool, map, key, &asked))
		return false;
	mumd_answer_map(map, &asked, reply_r);
	asked_free(&asked);
	return true;
}

void map_reply_free(struct map_reply *reply)
{
	free(reply->value);
	free(reply->text);
	free(reply->why);
	reply->value = reply->text = reply->why = NULL;
}

/* ---- policy ---- */

static void on_action(const char *action, void *arg)
{
	*(char **)arg = xstrdup(action);
}

char *mumd_ask_policy(struct tool *tool, struct quota_client *quota,
		      const struct decision_watch *watch, const char *const *attributes)
{
	struct buf wire = BUF_INIT(POLICY_REQUEST_MAX);
	const struct decider decider = { .host = &tool->host.host,
					 .core = tool_core(tool, MUM_ROLE_POSTFIX),
					 .quota = quota, .watch = watch };
	struct policy_request request;
	char *action = NULL;
	size_t wire_len;
	bool good = true;

	buf_puts(&wire, "request=smtpd_access_policy\nprotocol_state=RCPT\n");
	for (; *attributes != NULL; attributes++) {
		/* A line end would make two of one; an empty attribute ends the request. */
		good = good && **attributes != '\0' && **attributes != '=' &&
		       strchr(*attributes, '\n') == NULL;
		buf_printf(&wire, "%s\n", *attributes);
	}
	buf_puts(&wire, "\n");
	good = good && !wire.failed &&
	       policy_parse(wire.data, wire.len, &request, &wire_len) == PARSE_DONE;
	if (good) {
		(void)decision_start(&decider, &request, on_action, &action);
		while (action == NULL)
			tool_wait(tool);
	}
	buf_free(&wire);
	return action;
}
