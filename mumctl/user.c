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

/* What is printed: an object, or lines. */
struct output {
	json_t *document;	/* NULL without --json */
	struct buf lines;
};

static void put_field(void *arg, const char *name, const char *value)
{
	struct output *output = arg;

	if (output->document != NULL)
		json_object_set_new(output->document, name, tool_json_text(value));
	else
		buf_printf(&output->lines, "%s=%s\n", name, value);
}

/* Returns why Dovecot cannot be handed the user; then nothing is printed. Else NULL. */
static const char *print_user(const struct tool *tool, const struct user *user,
			      enum dovecot_generation generation, struct arena *arena)
{
	struct output output = { NULL, BUF_INIT(LINES_MAX) };
	const char *why;
	char *text;

	if (tool->json)
		output.document = json_pack("{ss}", "result", tool_status_name(MUM_FOUND));
	put_field(&output, "user", user->address);
	why = userdb_put_fields(user, generation, arena, put_field, &output);
	text = buf_steal(&output.lines);
	if (why == NULL && tool->json)
		tool_print_json(json_incref(output.document));
	else if (why == NULL)
		printf("%s", text);
	json_decref(output.document);
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
		why = print_user(tool, &user, generation, &arena);
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
