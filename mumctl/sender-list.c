/* SPDX-License-Identifier: MIT */
#include "mumctl/sender-list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/xalloc.h"
#include "postfix-policy/send/table-text.h"

enum {
	PATIENCE = 5,		/* seconds without a byte */
	PIECE = 65536		/* bytes read at once */
};

/* ---- the text ---- */

/* The descriptor; or -1 with errno. */
static int connect_to(const char *path)
{
	const struct timeval patience = { PATIENCE, 0 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, error;

	errno = ENAMETOOLONG;
	if (strlen(path) >= sizeof(address.sun_path))
		return -1;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0 &&
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* False with errno. */
static bool read_text(const char *path, struct buf *text)
{
	int fd = connect_to(path), error;
	ssize_t size = -1;
	char *to;

	if (fd < 0)
		return false;
	errno = EFBIG;
	while ((to = buf_reserve(text, PIECE)) != NULL && (size = read(fd, to, PIECE)) > 0)
		text->len += (size_t)size;
	error = errno;
	close(fd);
	errno = error;
	return to != NULL && size == 0;
}

/* ---- its rows ---- */

struct collector {
	const struct send_limits *limits;
	struct sender_list *list;
};

static void add_row(const struct send_row *row, int64_t wall, void *arg)
{
	struct collector *collector = arg;
	struct sender_list *list = collector->list;
	const struct gcra *limit = send_limits_find(collector->limits, row->login);

	(void)wall;
	list->items = xgrow(list->items, list->count, sizeof(*list->items));
	list->items[list->count++] = (struct sender){
		.login = xstrdup(row->login), .sent = row->sent, .over = row->over,
		.left = limit != NULL ? gcra_left(limit, 0, row->debt) : 0,
		.since = row->since, .limited = limit != NULL,
	};
}

static int compare(const void *_a, const void *_b)
{
	const struct sender *a = _a, *b = _b;

	if (a->sent != b->sent)
		return a->sent > b->sent ? -1 : 1;
	return strcmp(a->login, b->login);
}

bool sender_list_ask(const struct mum_config *config, struct sender_list *list_r,
		      char **why_r)
{
	const char *path = config->policy.send_socket;
	struct send_limits *limits = send_limits_new(config);
	struct collector collector = { limits, list_r };
	struct buf text = BUF_INIT(SEND_TEXT_MAX);

	*list_r = (struct sender_list){ 0, NULL };
	*why_r = NULL;
	if (!read_text(path, &text))
		*why_r = xasprintf("%s: %s", path, strerror(errno));
	else if (!send_text_read(text.data, text.len, add_row, &collector))
		*why_r = xasprintf("%s: no whole answer; others are asking as well", path);
	else if (list_r->count > 0)
		qsort(list_r->items, list_r->count, sizeof(*list_r->items), compare);
	buf_free(&text);
	send_limits_free(&limits);
	return *why_r == NULL;
}

void sender_list_free(struct sender_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].login);
	free(list->items);
	*list = (struct sender_list){ 0, NULL };
}
