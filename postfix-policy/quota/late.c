/* SPDX-License-Identifier: MIT */
#include "postfix-policy/quota/late.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/xalloc.h"

struct late_mailbox {
	char *name;
	uint64_t size;			/* of the mail */
	struct quota_conn *conn;	/* NULL: closed */
	uint64_t since;			/* host_now() */
	bool in_row;			/* nobody was answered about since */
	struct late_mailbox *prev, *next;
};

static void forget(struct quota_late *late, struct late_mailbox *mailbox)
{
	DL_DELETE(late->mailboxes, mailbox);
	late->count--;
	late->row -= mailbox->in_row;
	if (mailbox->conn != NULL)
		quota_conn_close(mailbox->conn);
	free(mailbox->name);
	free(mailbox);
}

static void on_answered(void *question, enum quota_answer answer, const char *text, void *arg)
{
	struct late_mailbox *mailbox = question;
	struct quota_late *late = arg;
	char *name = mailbox->name;
	uint64_t size = mailbox->size;

	(void)text;
	mailbox->name = NULL;
	forget(late, mailbox);
	late->answered(name, size, answer, late->arg);
	free(name);
}

/* Then it cannot be answered any more. */
static void on_broken(void *question, bool stale, const char *why, void *arg)
{
	struct late_mailbox *mailbox = question;

	(void)stale;
	(void)why;
	mailbox->conn = NULL;
	forget(arg, mailbox);
}

static const struct quota_conn_handler handler = { on_answered, on_broken };

void quota_late_init(struct quota_late *late, const struct mum_host *host,
		     quota_late_fn *answered, void *arg)
{
	*late = (struct quota_late){ .conns = { host, &handler, late, NULL, 0 },
				     .answered = answered, .arg = arg };
}

bool quota_late_has(struct quota_late *late, const char *mailbox)
{
	const uint64_t now = host_now(late->conns.host);
	struct late_mailbox *one, *next;
	bool has = false;

	DL_FOREACH_SAFE(late->mailboxes, one, next) {
		if (one->conn == NULL && now - one->since >= QUOTA_LATE_FORGET)
			forget(late, one);
		else
			has = has || strcmp(one->name, mailbox) == 0;
	}
	return has;
}

/* Closes the connection of the oldest that has one. */
static void close_oldest(struct quota_late *late)
{
	struct late_mailbox *one;

	DL_FOREACH(late->mailboxes, one) {
		if (one->conn == NULL)
			continue;
		quota_conn_close(one->conn);
		one->conn = NULL;
		return;
	}
}

bool quota_late_add(struct quota_late *late, struct quota_conn *conn, const char *name,
		    uint64_t size)
{
	struct late_mailbox *mailbox;

	if (quota_late_has(late, name))
		return false;
	if (late->count == QUOTA_LATE_MAILBOXES)
		forget(late, late->mailboxes);
	if (late->conns.count == QUOTA_LATE_CONNECTIONS)
		close_oldest(late);
	mailbox = xcalloc(1, sizeof(*mailbox));
	mailbox->name = xstrdup(name);
	mailbox->size = size;
	mailbox->since = host_now(late->conns.host);
	mailbox->conn = conn;
	quota_conn_move(conn, &late->conns, mailbox);
	DL_APPEND(late->mailboxes, mailbox);
	late->count++;
	late->row++;
	mailbox->in_row = true;
	return true;
}

bool quota_late_is_service(const struct quota_late *late)
{
	return late->row >= QUOTA_LATE_CONNECTIONS;
}

void quota_late_end_row(struct quota_late *late)
{
	struct late_mailbox *one;

	DL_FOREACH(late->mailboxes, one)
		one->in_row = false;
	late->row = 0;
}

void quota_late_clear(struct quota_late *late)
{
	while (late->mailboxes != NULL)
		forget(late, late->mailboxes);
}
