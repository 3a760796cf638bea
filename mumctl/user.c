/* SPDX-License-Identifier: MIT */
/* user ADDRESS [--for VERSION]: what Dovecot's userdb gets, and what else MUM knows of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/rules-users.h"
#include "mumctl/commands.h"
#include "mumctl/reverse/reverse.h"
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

/* Returns why Dovecot cannot get the user, and leaves the output as it was; else NULL. */
static const char *put_user(struct output *output, const struct user *user,
			    enum dovecot_generation generation, struct arena *arena)
{
	struct output fields = { output->document != NULL ? json_object() : NULL,
				 BUF_INIT(LINES_MAX) };
	const char *why;

	put_field(&fields, "user", user->address);
	why = userdb_put_fields(user, generation, arena, put_field, &fields);
	if (why == NULL && output->document != NULL)
		json_object_update(output->document, fields.document);
	else if (why == NULL)
		buf_put(&output->lines, fields.lines.data, fields.lines.len);
	json_decref(fields.document);
	buf_free(&fields.lines);
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

static const char *why_not_found(const struct mum_answer *answer)
{
	return reverse_login(answer) != NULL ? "Dovecot has no mail of it: it is send-only"
					     : "no user has this name (see mumctl explain)";
}

/* Prints what Dovecot gets, then what else MUM knows of the login. The exit status. */
static int print(struct tool *tool, struct output *output, const struct asked *asked,
		 enum mum_status status)
{
	bool login = status != MUM_TEMPFAIL && reverse_login(&asked->answer) != NULL;
	json_t *document = tool->json ? output->document : json_object();
	int trouble = login ? reverse_add(tool, &asked->answer, document) : 0;
	char *text = buf_steal(&output->lines);

	if (tool->json) {
		tool_print_json(document);
	} else {
		printf("%s", text);
		reverse_print(document);
		json_decref(document);
	}
	free(text);
	return trouble != 0 ? trouble : tool_exit_status(status);
}

int command_user(struct tool *tool, int argc, char **argv)
{
	const enum dovecot_generation generation = read_generation(argc, argv);
	struct output output = { NULL, BUF_INIT(LINES_MAX) };
	struct arena arena = { 0 };
	struct asked asked;
	struct user user;
	const char *why;
	enum mum_status status;
	int end;

	tool_ask(tool, MUM_ROLE_DOVECOT, MUM_ASK(MUM_USER), argv[0], &asked);
	status = rule_user(&asked.answer, &user, &why);
	if (tool->json)
		output.document = json_pack("{ss so}", "result", "", "user",
					    tool_json_text(argv[0]));
	if (status == MUM_FOUND) {
		why = put_user(&output, &user, generation, &arena);
		status = why == NULL ? MUM_FOUND : MUM_TEMPFAIL;
	}
	if (tool->json)
		json_object_set_new(output.document, "result",
				    json_string(tool_status_name(status)));
	if (why != NULL)
		tool_complain(argv[0], why);
	else if (status != MUM_FOUND)
		tool_complain(argv[0], status == MUM_NOT_FOUND ? why_not_found(&asked.answer)
							       : asked.reason);
	end = print(tool, &output, &asked, status);
	arena_free(&arena);
	asked_free(&asked);
	return end;
}
