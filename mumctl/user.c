/* SPDX-License-Identifier: MIT */
/* user ADDRESS: the fields that Dovecot's userdb is given. */
#include <stdio.h>

#include "common/rules.h"
#include "dovecot-plugin/userdb-fields.h"
#include "mumctl/commands.h"

static void put_json(void *document, const char *name, const char *value)
{
	json_object_set_new(document, name, tool_json_text(value));
}

static void put_line(void *unused, const char *name, const char *value)
{
	(void)unused;
	printf("%s=%s\n", name, value);
}

static void print_user(const struct tool *tool, const struct user *user)
{
	json_t *document;

	if (!tool->json) {
		put_line(NULL, "user", user->address);
		userdb_put_fields(user, DOVECOT_2_3, NULL, put_line, NULL);
		return;
	}
	document = json_pack("{ss}", "result", tool_status_name(MUM_FOUND));
	put_json(document, "user", user->address);
	userdb_put_fields(user, DOVECOT_2_3, NULL, put_json, document);
	tool_print_json(document);
}

int command_user(struct tool *tool, int argc, char **argv)
{
	struct asked asked;
	struct user user;
	const char *why;
	enum mum_status status;

	if (argc != 1)
		tool_usage(USAGE_USER);
	tool_ask(tool, MUM_ROLE_DOVECOT, MUM_ASK(MUM_USER), argv[0], &asked);
	status = rule_user(&asked.answer, &user, &why);
	if (status == MUM_FOUND)
		print_user(tool, &user);
	else if (tool->json)
		tool_print_json(json_pack("{ss so}", "result", tool_status_name(status),
					  "user", tool_json_text(argv[0])));
	if (why != NULL)
		tool_complain(argv[0], why);
	else if (status != MUM_FOUND)
		tool_complain(argv[0], status == MUM_NOT_FOUND
					       ? "no user has this name (see mumctl explain)"
					       : asked.reason);
	asked_free(&asked);
	return tool_exit_status(status);
}
