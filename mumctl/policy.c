/* SPDX-License-Identifier: MIT */
/* policy NAME=VALUE...: a request as of smtpd, and the action, without the socket. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "mumctl/as-mumd.h"
#include "mumctl/commands.h"
#include "postfix-policy/protocol/action.h"

int command_policy(struct tool *tool, int argc, char **argv)
{
	char *action;
	int status;

	if (argc == 0)
		tool_usage(USAGE_POLICY);
	action = mumd_ask_policy(tool, tool_quota(tool), NULL, (const char *const *)argv);
	if (action == NULL) {
		tool_complain("policy", "not NAME=VALUE attributes as in "
					"SMTPD_POLICY_README, or too long");
		return EX_USAGE;
	}
	if (tool->json)
		tool_print_json(json_pack("{so}", "action", tool_json_text(action)));
	else
		printf("action=%s\n", action);
	status = strcmp(action, ACTION_TEMPFAIL) == 0 ? EX_TEMPFAIL : 0;
	free(action);
	return status;
}
