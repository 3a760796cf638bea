/* SPDX-License-Identifier: MIT */
/* user ADDRESS [--for VERSION]: what Dovecot's userdb gets, and what else MUM knows of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/rules-users.h"
#include "mumctl/commands.h"
#include "mumctl/reverse/reverse.h"
#include "mumctl/settings.h"

static void put_field(void *fields, const char *name, const char *value)
{
	json_object_set_new(fields, name, tool_json_text(value));
}

/* What Dovecot gets; nothing where *why_r, which is the arena's, says why it cannot. */
static json_t *fields_of(const struct user *user, enum dovecot_generation generation,
			 struct arena *arena, const char **why_r)
{
	json_t *fields = json_object();

	put_field(fields, "user", user->address);
	*why_r = userdb_put_fields(user, generation, arena, put_field, fields);
	if (*why_r != NULL)
		json_object_clear(fields);
	return fields;
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

static void print_lines(json_t *fields)
{
	const char *name;
	json_t *value;

	json_object_foreach(fields, name, value)
		printf("%s=%s\n", name, json_string_value(value));
}

/* Prints what Dovecot gets, then what else MUM knows of the login. The exit status. */
static int print(struct tool *tool, const char *asked_for, json_t *fields,
		 const struct asked *asked, enum mum_status status)
{
	bool login = status != MUM_TEMPFAIL && reverse_login(&asked->answer) != NULL;
	json_t *document = json_pack("{ss so}", "result", tool_status_name(status), "user",
				     tool_json_text(asked_for));
	int trouble;

	json_object_update(document, fields);
	trouble = login ? reverse_add(tool, &asked->answer, document) : 0;
	if (tool->json) {
		tool_print_json(document);
	} else {
		print_lines(fields);
		reverse_print(document);
		json_decref(document);
	}
	return trouble != 0 ? trouble : tool_exit_status(status);
}

int command_user(struct tool *tool, int argc, char **argv)
{
	const enum dovecot_generation generation = read_generation(argc, argv);
	struct arena arena = { NULL };
	json_t *fields = NULL;
	struct asked asked;
	struct user user;
	const char *why;
	enum mum_status status;
	int end;

	tool_ask(tool, MUM_ROLE_DOVECOT, MUM_ASK(MUM_USER), argv[0], &asked);
	status = rule_user(&asked.answer, &user, &why);
	if (status == MUM_FOUND) {
		fields = fields_of(&user, generation, &arena, &why);
		status = why == NULL ? MUM_FOUND : MUM_TEMPFAIL;
	}
	if (why != NULL)
		tool_complain(argv[0], why);
	else if (status != MUM_FOUND)
		tool_complain(argv[0], status == MUM_NOT_FOUND ? why_not_found(&asked.answer)
							       : asked.reason);
	end = print(tool, argv[0], fields, &asked, status);
	json_decref(fields);
	arena_free(&arena);
	asked_free(&asked);
	return end;
}
