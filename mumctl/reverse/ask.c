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

void questions_add(struct questions *questions, char *key)
{
	questions->keys = xgrow(questions->keys, questions->count, sizeof(*questions->keys));
	questions->keys[questions->count++] = key;
}

bool questions_ask(struct tool *tool, enum question_kind kind, struct questions *questions,
		   struct inspect_error *error_r)
{
	bool good = true;

	questions->answers = xcalloc(questions->count, sizeof(*questions->answers));
	tool_ask_all(tool, MUM_ROLE_POSTFIX, MUM_ASK(kind), (const char *const *)questions->keys,
		     questions->count, questions->answers);
	for (size_t i = 0; i < questions->count && good; i++)
		good = is_answered(&questions->answers[i], error_r);
	return good;
}

void questions_free(struct questions *questions)
{
	for (size_t i = 0; i < questions->count; i++) {
		if (questions->answers != NULL)
			asked_free(&questions->answers[i]);
		free(questions->keys[i]);
	}
	free(questions->answers);
	free(questions->keys);
	*questions = (struct questions){ .count = 0 };
}

struct inspect *ask_open(struct tool *tool, enum mum_role role, struct inspect_error *error_r)
{
	return inspect_open_any(tool_config(tool, role), error_r);
}
