/* SPDX-License-Identifier: MIT */
/* list [PATTERN]: the users that "doveadm user PATTERN" lists. */
#include <fnmatch.h>

#include "mumctl/commands.h"

struct list {
	const char *pattern;
	json_t *users;		/* NULL without --json */
};

static void on_user(const char *address, void *arg)
{
	const struct list *list = arg;

	if (fnmatch(list->pattern, address, 0) != 0)
		return;
	if (list->users != NULL) {
		json_array_append_new(list->users, tool_json_text(address));
		return;
	}
	tool_print_line("%s", address);
}

int command_list(struct tool *tool, int argc, char **argv)
{
	struct list list = { argc > 0 ? argv[0] : "*", tool->json ? json_array() : NULL };
	enum mum_status status;

	if (argc > 1)
		tool_usage(USAGE_LIST);
	status = tool_each_user(tool, "list", on_user, &list);
	if (list.users != NULL)
		tool_print_json(json_pack("{ss so}", "result", tool_status_name(status),
					  "users", list.users));
	return tool_exit_status(status);
}
