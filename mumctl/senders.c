/* SPDX-License-Identifier: MIT */
/* senders: which login sent to how many recipients lately, as the running mumd counts. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include "mumctl/commands.h"
#include "mumctl/sender-list.h"

enum { TIME_SIZE = 32 };

static void put_time(char *to, int64_t seconds)
{
	const time_t when = (time_t)seconds;
	struct tm parts;

	if (localtime_r(&when, &parts) == NULL ||
	    strftime(to, TIME_SIZE, "%Y-%m-%d %H:%M:%S", &parts) == 0)
		snprintf(to, TIME_SIZE, "@%" PRId64, seconds);
}

static void print_list(const struct sender_list *list)
{
	if (list->count > 0)
		printf("%9s %9s %9s  %-19s  %s\n", "sent", "over", "left", "since", "login");
	for (size_t i = 0; i < list->count; i++) {
		const struct sender *sender = &list->items[i];
		char since[TIME_SIZE], left[32] = "-";

		put_time(since, sender->since);
		if (sender->limited)
			snprintf(left, sizeof(left), "%" PRIu64, sender->left);
		tool_print_line("%9" PRIu64 " %9" PRIu64 " %9s  %-19s  %s", sender->sent,
				sender->over, left, since, sender->login);
	}
}

static void print_json(const struct sender_list *list)
{
	json_t *senders = json_array();

	for (size_t i = 0; i < list->count; i++) {
		const struct sender *sender = &list->items[i];

		json_array_append_new(
			senders,
			json_pack("{so sI sI so sI}", "login", tool_json_text(sender->login), "sent",
				  (json_int_t)sender->sent, "over", (json_int_t)sender->over,
				  "left",
				  sender->limited ? json_integer((json_int_t)sender->left)
						  : json_null(),
				  "since", (json_int_t)sender->since));
	}
	tool_print_json(json_pack("{so}", "senders", senders));
}

int command_senders(struct tool *tool, int argc, char **argv)
{
	const struct mum_config *config;
	struct sender_list list;
	char *why;

	(void)argv;
	if (argc > 0)
		tool_usage(USAGE_SENDERS);
	config = tool_config(tool, MUM_ROLE_POSTFIX);
	if (config->policy.send == MUM_CHECK_OFF) {
		tool_complain("senders", "policy.send is \"off\" in mum.conf: nobody counts");
		return EX_CONFIG;
	}
	if (!sender_list_ask(config, &list, &why)) {
		tool_complain("senders", why);
		free(why);
		sender_list_free(&list);
		return EX_TEMPFAIL;
	}
	if (tool->json)
		print_json(&list);
	else
		print_list(&list);
	sender_list_free(&list);
	return 0;
}
