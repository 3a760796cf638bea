/* SPDX-License-Identifier: MIT */
/* Asks what Postfix asks mumd, by mumd's own parsers, rules and encoders. */
#ifndef MUM_CTL_POSTFIX_H
#define MUM_CTL_POSTFIX_H

#include "mumctl/tool.h"

struct map_reply {
	enum mum_status status;
	char *value;		/* with MUM_FOUND; else NULL */
	char *wire;		/* as on the socket, without the netstring: "OK ...", "TEMP ..." */
	char *why;		/* why there is no answer; else NULL */
	bool bad_value;		/* MUM_TEMPFAIL: there is one, which Postfix must not be handed */
	double ms;
};

/* False when there is no such map, or the key is longer than Postfix sends. */
bool postfix_ask_map(struct tool *tool, const char *map, const char *key,
		     struct map_reply *reply_r);
void map_reply_free(struct map_reply *reply);

/*
 * attributes: NAME=VALUE each, NULL at the end; request and protocol_state are
 * those of a RCPT command unless given. The action, which the caller frees; NULL
 * when they are no policy request.
 */
char *postfix_ask_policy(struct tool *tool, const char *const *attributes);

#endif
