/* SPDX-License-Identifier: MIT */
/* query MAP KEY: a socketmap request and its reply, without the socket. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/xalloc.h"
#include "mumctl/as-mumd.h"
#include "mumctl/commands.h"

int command_query(struct tool *tool, int argc, char **argv)
{
	const struct socketmap_map *map;
	struct map_reply reply;

	if (argc != 2)
		tool_usage(USAGE_QUERY);
	map = socketmap_by_name(argv[0], strlen(argv[0]));
	if (map == NULL || !mumd_ask_map(tool, socketmap_number(map), argv[1], &reply)) {
		tool_complain(argv[0], "no such map (see mumd(8) for their names), or a key "
				       "longer than Postfix sends");
		return EX_USAGE;
	}
	if (tool->json)
		tool_print_json(json_pack("{so so ss so* so*}", "map", tool_json_text(argv[0]),
					  "key", tool_json_text(argv[1]), "result",
					  tool_status_name(reply.status), "value",
					  tool_json_text(reply.value), "reason",
					  tool_json_text(reply.why)));
	else if (reply.status == MUM_FOUND)
		printf("%s\n", reply.value);
	if (reply.why != NULL && !tool->json)
		tool_complain(argv[1], reply.why);
	map_reply_free(&reply);
	return tool_exit_status(reply.status);
}
