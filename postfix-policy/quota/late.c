/* SPDX-License-Identifier: MIT */
#include "postfix-policy/quota/late.h"

#include <stdlib.h>
#include <string.h>

#include "common/xalloc.h"

/* What a connection asks here. */
struct late_question {
	char *mailbox;
	uint64_t size;
};

static void question_free(struct late_question *question)
{
	free(question->mailbox);
	free(question);
}

static void on_answered(void *question, enum quota_answer answer, const char *text, void *arg)
{
	struct quota_late *late = arg;
	struct late_question *asked = question;

	(void)text;
	quota_conns_close_idle(&late->conns);	/* that of the answer */
	late->answered(asked->mailbox, asked->size, answer, late->arg);
	question_free(asked);
}

/* Then it cannot be answered any more. */
static void on_broken(void *question, bool stale, const char *why, void *arg)
{
	(void)stale;
	(void)why;
	(void)arg;
	question_free(question);
}

static const struct quota_conn_handler handler = { on_answered, on_broken };

void quota_late_init(struct quota_late *late, const struct mum_host *host,
		     quota_late_fn *answered, void *arg)
{
	*late = (struct quota_late){ .conns = { host, &handler, late, NULL, 0 },
				     .answered = answered, .arg = arg };
}

bool quota_late_add(struct quota_late *late, struct quota_conn *conn, const char *mailbox,
		    uint64_t size)
{
	struct late_question *question;

	for (const struct quota_conn *one = late->conns.list; one != NULL;
	     one = quota_conn_next(one)) {
		question = quota_conn_question(one);
		if (strcmp(question->mailbox, mailbox) == 0)
			return false;
	}
	question = xcalloc(1, sizeof(*question));
	question->mailbox = xstrdup(mailbox);
	question->size = size;
	quota_conn_move(conn, &late->conns, question);
	return true;
}

bool quota_late_is_full(const struct quota_late *late)
{
	return late->conns.count >= QUOTA_LATE_MAX;
}

void quota_late_clear(struct quota_late *late)
{
	while (late->conns.list != NULL) {
		question_free(quota_conn_question(late->conns.list));
		quota_conn_close(late->conns.list);
	}
}
