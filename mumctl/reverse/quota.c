/* SPDX-License-Identifier: MIT */
#include "mumctl/reverse/quota.h"

#include <stdlib.h>

#include "common/xalloc.h"
#include "mumctl/doveadm-sizes.h"
#include "mumctl/reverse/ask.h"
#include "mumctl/run-lines.h"

const char *quota_source_name(enum quota_source source)
{
	switch (source) {
	case QUOTA_OF_MAILBOX:	return "mailbox";
	case QUOTA_OF_DOMAIN:	return "domain";
	case QUOTA_OF_NOBODY:
		break;
	}
	return "none";
}

/* ---- doveadm ---- */

enum { DOVEADM_DEADLINE = 5000 };	/* ms without a line */

struct used {
	bool known;
	uint64_t kib;
};

/* With -u, a row has no name in front. Of several roots the first counts. */
static void on_line(char *line, bool is_error, void *arg)
{
	struct used *used = arg;
	char *named = xjoin("-", "\t", line);
	struct size_row row;

	if (!is_error && !used->known && sizes_read_row(SIZES_QUOTA, named, &row) && row.known)
		*used = (struct used){ true, row.kib };
	free(named);
}

static struct used ask_doveadm(const char *user)
{
	const char *const command[] = { "doveadm", "-f", "tab", "quota", "get", "-u", user, NULL };
	struct used used = { .known = false };

	if (run_lines_within(command, DOVEADM_DEADLINE, on_line, &used) == RUN_SILENT)
		tool_complain(user, "how full is unknown: doveadm did not answer within 5 s");
	return used;
}

/* ---- quota-status ---- */

struct told {
	bool done;
	enum quota_answer answer;
};

static void on_answer(enum quota_answer answer, const char *text, void *arg)
{
	struct told *told = arg;

	(void)text;
	told->answer = answer;
	told->done = true;
}

/* What it says about a mail of size 0, asked as mumd asks. */
static enum quota_answer ask_quota_status(struct tool *tool, const char *user)
{
	const struct mum_config *config = tool_config(tool, MUM_ROLE_POSTFIX);
	char *name = ask_name(user, "");
	struct told told = { .answer = QUOTA_NO_ANSWER };

	if (config->policy.quota != MUM_CHECK_OFF && quota_can_ask(name) &&
	    quota_ask(tool_quota(tool), name, 0, config->policy.quota_deadline, on_answer,
		      &told) != NULL) {
		while (!told.done)
			tool_wait(tool);
	}
	free(name);
	return told.answer;
}

json_t *quota_json(struct tool *tool, const struct user *user)
{
	struct used used = ask_doveadm(user->address);
	enum quota_answer answer = ask_quota_status(tool, user->address);

	return json_pack("{so ss so so}", "gb",
			 user->quota_gb > 0 ? json_integer((json_int_t)user->quota_gb)
					    : json_null(),
			 "source", quota_source_name(user->quota_source), "used_kib",
			 used.known ? json_integer((json_int_t)used.kib) : json_null(), "full",
			 answer == QUOTA_FULL || answer == QUOTA_ROOM
				 ? json_boolean(answer == QUOTA_FULL) : json_null());
}
