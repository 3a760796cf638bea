/* SPDX-License-Identifier: MIT */
#include "mumctl/reverse/ask.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/address-quote.h"
#include "common/xalloc.h"

enum { NAME_SIZE = 4096 };	/* bytes; no stored name is longer */

char *ask_name(const char *stored, const char *extension)
{
	struct buf name = BUF_INIT(NAME_SIZE);

	if (address_put_external(&name, stored, extension) && !name.failed)
		return buf_steal(&name);
	buf_free(&name);
	return xstrdup(stored);
}

/* False sets the error. */
static bool is_answered(const struct asked *asked, struct inspect_error *error_r)
{
	if (tool_is_answered(asked->answer.status))
		return true;
	error_r->trouble = asked->answer.status == MUM_MISCONFIGURED ? INSPECT_DENIED
								     : INSPECT_OTHER;
	snprintf(error_r->text, sizeof(error_r->text), "%s", asked->reason);
	return false;
}

bool ask_all(struct tool *tool, enum question_kind kind, char *const *keys, size_t count,
	     struct asked *asked_r, struct inspect_error *error_r)
{
	bool good = true;

	tool_ask_all(tool, MUM_ROLE_POSTFIX, MUM_ASK(kind), (const char *const *)keys, count,
		     asked_r);
	for (size_t i = 0; i < count && good; i++)
		good = is_answered(&asked_r[i], error_r);
	return good;
}

void ask_free(struct asked *asked, char **keys, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		asked_free(&asked[i]);
		free(keys[i]);
	}
	free(asked);
	free(keys);
}

struct inspect *ask_open(struct tool *tool, enum mum_role role, struct inspect_error *error_r)
{
	return inspect_open_any(tool_config(tool, role), error_r);
}
