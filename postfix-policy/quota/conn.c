/* SPDX-License-Identifier: MIT */
#include "postfix-policy/quota/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utlist.h>

#include "common/xalloc.h"

struct quota_conn {
	struct quota_conns *conns;
	int fd;
	struct mum_watch *watch;
	struct buf in;
	void *question;				/* NULL: idle */
	bool answered;				/* once at least */
	struct quota_conn *prev, *next;
};

static const char hung_up[] = "it hangs up";
static const char garbled[] = "it does not answer as a policy service does";

void quota_conn_close(struct quota_conn *conn)
{
	DL_DELETE(conn->conns->list, conn);
	conn->conns->count--;
	host_unwatch(conn->conns->host, &conn->watch);
	close(conn->fd);
	buf_free(&conn->in);
	free(conn);
}

static void fail(struct quota_conn *conn, const char *why)
{
	struct quota_conns *conns = conn->conns;
	void *question = conn->question;
	bool stale = conn->answered && conn->in.len == 0;

	quota_conn_close(conn);
	conns->handler->broken(question, stale, why, conns->arg);
}

/* The connection may be gone when this returns. */
static void deliver(struct quota_conn *conn, enum quota_answer answer,
		    const struct slice *text)
{
	struct quota_conns *conns = conn->conns;
	void *question = conn->question;
	char *copy = xstrndup(text->data, text->len);

	buf_clear(&conn->in);
	conn->question = NULL;
	conn->answered = true;
	DL_DELETE(conns->list, conn);
	DL_PREPEND(conns->list, conn);
	conns->handler->answered(question, answer, copy, conns->arg);
	free(copy);
}

/* No byte may follow an answer: it would be taken for the answer to the next question. */
static void read_answer(struct quota_conn *conn)
{
	enum quota_answer answer;
	struct slice text;
	size_t wire_len;
	enum parse_result result = quota_parse_reply(conn->in.data, conn->in.len, &answer,
						     &text, &wire_len);

	if (result == PARSE_MORE)
		return;
	if (result == PARSE_BAD || wire_len < conn->in.len || conn->question == NULL)
		fail(conn, garbled);
	else
		deliver(conn, answer, &text);
}

static void on_ready(unsigned events, void *arg)
{
	struct quota_conn *conn = arg;
	size_t room = QUOTA_REPLY_MAX - conn->in.len;
	ssize_t got = recv(conn->fd, buf_reserve(&conn->in, room), room, 0);

	(void)events;
	if (got > 0) {
		conn->in.len += (size_t)got;
		read_answer(conn);
	} else if (got == 0) {
		fail(conn, hung_up);
	} else if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) {
		fail(conn, strerror(errno));
	}
}

/* The descriptor; or -1 with errno. A unix socket connects at once or not at all. */
static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, error;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* NULL sets *why_r. */
static struct quota_conn *open_to(struct quota_conns *conns, const char *path,
				  const char **why_r)
{
	int fd = connect_to(path);
	struct quota_conn *conn;

	if (fd < 0) {
		*why_r = errno == EAGAIN ? "too many connections wait there" : strerror(errno);
		return NULL;
	}
	conn = xcalloc(1, sizeof(*conn));
	conn->conns = conns;
	conn->fd = fd;
	conn->in = (struct buf)BUF_INIT(QUOTA_REPLY_MAX);
	conn->watch = conns->host->ops->watch(conns->host->ctx, fd, MUM_READ, on_ready, conn);
	DL_PREPEND(conns->list, conn);
	conns->count++;
	return conn;
}

/* False: it was closed while it was idle, and is gone. */
static bool ask(struct quota_conn *conn, void *question, const char *mailbox, uint64_t size)
{
	struct buf request = BUF_INIT(QUOTA_MAILBOX_MAX + 256);
	ssize_t sent;
	bool whole;

	quota_put_request(&request, mailbox, size);
	/* The socket of an idle connection has room for all of it. */
	sent = send(conn->fd, request.data, request.len, MSG_NOSIGNAL);
	whole = sent == (ssize_t)request.len;
	buf_free(&request);
	if (whole)
		conn->question = question;
	else
		quota_conn_close(conn);
	return whole;
}

struct quota_conn *quota_conns_ask(struct quota_conns *conns, void *question,
				   const char *mailbox, uint64_t size)
{
	struct quota_conn *conn;

	do {
		conn = quota_conns_idle(conns);
	} while (conn != NULL && !ask(conn, question, mailbox, size));
	return conn;
}

struct quota_conn *quota_conns_ask_new(struct quota_conns *conns, const char *path,
				       void *question, const char *mailbox, uint64_t size,
				       const char **why_r)
{
	struct quota_conn *conn = open_to(conns, path, why_r);

	if (conn == NULL)
		return NULL;
	*why_r = hung_up;
	return ask(conn, question, mailbox, size) ? conn : NULL;
}

void quota_conn_move(struct quota_conn *conn, struct quota_conns *to, void *question)
{
	DL_DELETE(conn->conns->list, conn);
	conn->conns->count--;
	DL_PREPEND(to->list, conn);
	to->count++;
	conn->conns = to;
	conn->question = question;
}

struct quota_conn *quota_conns_idle(const struct quota_conns *conns)
{
	struct quota_conn *conn;

	DL_FOREACH(conns->list, conn) {
		if (conn->question == NULL)
			return conn;
	}
	return NULL;
}

void quota_conns_close_idle(struct quota_conns *conns)
{
	struct quota_conn *conn;

	while ((conn = quota_conns_idle(conns)) != NULL)
		quota_conn_close(conn);
}

size_t quota_conns_busy(const struct quota_conns *conns)
{
	const struct quota_conn *conn;
	size_t count = 0;

	DL_FOREACH(conns->list, conn)
		count += conn->question != NULL;
	return count;
}

struct quota_conn *quota_conn_next(const struct quota_conn *conn)
{
	return conn->next;
}

void *quota_conn_question(const struct quota_conn *conn)
{
	return conn->question;
}
