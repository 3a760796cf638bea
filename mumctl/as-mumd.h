/* SPDX-License-Identifier: MIT */
/* Answers as mumd answers Postfix: its parsers, rules and encoders, without sockets. */
#ifndef MUM_CTL_AS_MUMD_H
#define MUM_CTL_AS_MUMD_H

#include "mumctl/tool.h"
#include "postfix-policy/protocol/socketmap.h"

struct decision_watch;

struct map_reply {
	enum mum_status status;
	bool bad_value;		/* with MUM_TEMPFAIL: Postfix must not get the value */
	char *value;		/* with MUM_FOUND; else NULL */
	char *text;		/* as on the socket, without the netstring: "OK ...", "TEMP ..." */
	char *why;		/* why there is no answer; else NULL */
};

/* Asks the question of a map. False if the key is longer than Postfix sends. */
bool mumd_ask(struct tool *tool, enum socketmap_number map, const char *key,
	      struct asked *asked_r);
/* What the map replies, given the answer to its question. */
void mumd_answer_map(enum socketmap_number map, const struct asked *asked,
		     struct map_reply *reply_r);
/* Calls both. */
bool mumd_ask_map(struct tool *tool, enum socketmap_number map, const char *key,
		  struct map_reply *reply_r);
void map_reply_free(struct map_reply *reply);

/*
 * Asks the policy service. attributes: NAME=VALUE each, NULL at the end; without request and
 * protocol_state it is a RCPT command. quota: NULL leaves that check out. watch may be NULL.
 * Returns the action, which the caller frees; NULL if the attributes are no policy request.
 */
char *mumd_ask_policy(struct tool *tool, struct quota_client *quota,
		      const struct decision_watch *watch, const char *const *attributes);

#endif
