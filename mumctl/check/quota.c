/* SPDX-License-Identifier: MIT */
/* Does Dovecot's quota-status answer mumd? Asks as the user of mumd. */
#include "mumctl/check/check.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "mumctl/as-user.h"
#include "postfix-policy/quota/settings.h"
#include "postfix-policy/protocol/quota-status.h"

struct probe {
	const struct quota_settings *settings;
	const char *name;	/* that nobody has */
};

/* Runs in the child; 0 when there is an answer. */
static int read_answer(int fd, unsigned deadline)
{
	char bytes[QUOTA_REPLY_MAX];
	struct pollfd ready = { fd, POLLIN, 0 };
	enum quota_answer answer;
	struct slice text;
	size_t len = 0, wire_len;
	ssize_t got;

	do {
		if (poll(&ready, 1, (int)deadline) != 1)
			return ETIMEDOUT;
		got = recv(fd, bytes + len, sizeof(bytes) - len, 0);
		if (got <= 0)
			return got == 0 ? ECONNRESET : errno;
		len += (size_t)got;
		switch (quota_parse_reply(bytes, len, &answer, &text, &wire_len)) {
		case PARSE_DONE:
			return answer == QUOTA_TROUBLE ? EAGAIN : 0;
		case PARSE_BAD:
			return EPROTO;
		case PARSE_MORE:
			break;
		}
	} while (len < sizeof(bytes));
	return EPROTO;
}

static int run_probe(void *arg)
{
	const struct probe *probe = arg;
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct buf request = BUF_INIT(QUOTA_MAILBOX_MAX + 256);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(probe->settings->path) >= sizeof(address.sun_path))
		return ENAMETOOLONG;
	strcpy(address.sun_path, probe->settings->path);
	/* With a full backlog, connect() would wait for ever. */
	alarm(probe->settings->deadline / 1000 + 1);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		return errno;
	quota_put_request(&request, probe->name, 0);
	if (send(fd, request.data, request.len, MSG_NOSIGNAL) != (ssize_t)request.len)
		return errno;
	return read_answer(fd, probe->settings->deadline);
}

static const char *words_of(int error)
{
	switch (error) {
	case ETIMEDOUT:
		return "no answer within policy.quota_deadline";
	case ECONNRESET:
		return "it hangs up";
	case EPROTO:
		return "it does not answer as a policy service does";
	case EAGAIN:
		return "it answers that it cannot tell now";
	default:
		return strerror(error);
	}
}

void check_quota(const struct check *check)
{
	const struct quota_settings settings = quota_settings(check->config);
	char name[64];
	const struct probe probe = { &settings, name };
	int error;

	if (settings.path == NULL)
		return;
	snprintf(name, sizeof(name), "mumctl-check-%ld@quota.invalid", (long)getpid());
	error = as_user(check->config->process.user, run_probe, (void *)&probe);
	if (error > 0)
		report_add(check->report, LEVEL_WARNING, "quota-silent",
			   check->config->policy.quota_status,
			   "see service quota-status in the lines for Dovecot that "
			   "\"mumctl setup\" prints, and Dovecot's log",
			   "as user %s: %s; mail to full mailboxes is accepted, and bounced",
			   check->config->process.user, words_of(error));
}
