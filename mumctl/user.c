/* SPDX-License-Identifier: MIT */
/* user ADDRESS [--for VERSION]: the fields that Dovecot's userdb is given. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/rules-users.h"
#include "mumctl/commands.h"
#include "mumctl/settings.h"

enum { LINES_MAX = 65536 };

static void put_json(void *document, const char *name, const char *value)
{
	json_object_set_new(document, name, tool_json_text(value));
}

static void put_line(void *lines, const char *name, const char *value)
{
	buf_printf(lines, "%s=%s\n", name, value);
}

/* Both return why that Dovecot cannot be handed the user, and print nothing then. */
static const char *print_json(const struct user *user, enum dovecot_generation generation,
			      struct arena *arena)
{
	json_t *document = json_pack("{ss so}", "result", tool_status_name(MUM_FOUND), "user",
				     tool_json_text(user->address));
	const char *why = userdb_put_fields(user, generation, arena, put_json, document);

	if (why == NULL)
		tool_print_json(document);
	else
		json_decref(document);
	return why;
}

static const char *print_lines(const struct user *user, enum dovecot_generation generation,
			       struct arena *arena)
{
	struct buf lines = BUF_INIT(LINES_MAX);
	const char *why = userdb_put_fields(user, generation, arena, put_line, &lines);
	char *text = buf_steal(&lines);

	if (why == NULL)
		printf("user=%s\n%s", user->address, text);
	free(text);
	return why;
}

static enum dovecot_generation read_generation(int argc, char **argv)
{
	if (argc == 1)
		return settings_generation_here();
	if (argc == 3 && strcmp(argv[1], "--for") == 0) {
		if (strcmp(argv[2], settings_generation_name(DOVECOT_2_3)) == 0)
			return DOVECOT_2_3;
		if (strcmp(argv[2], settings_generation_name(DOVECOT_2_4)) == 0)
			return DOVECOT_2_4;
	}
	tool_usage(USAGE_USER);
}

int command_user(struct tool *tool, int argc, char **argv)
{
	const enum dovecot_generation generation = read_generation(argc, argv);
	struct arena arena = { 0 };
	struct asked asked;
	struct user user;
	const char *why;
	enum mum_status status;

	tool_ask(tool, MUM_ROLE_DOVECOT, MUM_ASK(MUM_USER), argv[0], &asked);
	status = rule_user(&asked.answer, &user, &why);
	if (status == MUM_FOUND) {
		why = tool->json ? print_json(&user, generation, &arena)
				 : print_lines(&user, generation, &arena);
		status = why == NULL ? MUM_FOUND : MUM_TEMPFAIL;
	}
	if (status != MUM_FOUND && tool->json)
		tool_print_json(json_pack("{ss so}", "result", tool_status_name(status),
					  "user", tool_json_text(argv[0])));
	if (why != NULL)
		tool_complain(argv[0], why);
	else if (status != MUM_FOUND)
		tool_complain(argv[0], status == MUM_NOT_FOUND
					       ? "no user has this name (see mumctl explain)"
					       : asked.reason);
	arena_free(&arena);
	asked_free(&asked);
	return tool_exit_status(status);
}
