/* SPDX-License-Identifier: MIT */
/* list [PATTERN]: the users that "doveadm user PATTERN" lists, page by page. */
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>

#include "common/rules-users.h"
#include "mumctl/commands.h"

static void print_page(const struct facts *page, const char *pattern, json_t *users,
		       uint64_t *last_id)
{
	for (size_t i = 0; i < page->count; i++) {
		const struct listed_row *row = &page->listed[i];
		const char *address = row->mailbox.address;

		*last_id = row->id;
		if (!rule_is_listed(row) || fnmatch(pattern, address, 0) != 0)
			continue;
		if (users != NULL) {
			json_array_append_new(users, tool_json_text(address));
			continue;
		}
		tool_print_clean(address);
		printf("\n");
	}
}

int command_list(struct tool *tool, int argc, char **argv)
{
	const char *pattern = argc > 0 ? argv[0] : "*";
	json_t *users = tool->json ? json_array() : NULL;
	enum mum_status status;
	uint64_t last_id = 0;
	bool more;

	if (argc > 1)
		tool_usage(USAGE_LIST);
	do {
		char after[32];
		struct asked asked;

		snprintf(after, sizeof(after), "%" PRIu64, last_id);
		tool_ask(tool, MUM_ROLE_DOVECOT, MUM_ASK(MUM_USERS), after, &asked);
		status = asked.answer.status;
		more = status == MUM_FOUND && asked.answer.facts[MUM_USERS]->count > 0;
		if (more)
			print_page(asked.answer.facts[MUM_USERS], pattern, users, &last_id);
		else if (status != MUM_FOUND)
			tool_complain("list", asked.reason);
		asked_free(&asked);
	} while (more);
	if (users != NULL)
		tool_print_json(json_pack("{ss so}", "result", tool_status_name(status),
					  "users", users));
	return tool_exit_status(status);
}
