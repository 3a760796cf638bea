/* SPDX-License-Identifier: MIT */
#include "postfix-policy/syslog-socket.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common/xalloc.h"

void syslog_socket_init(struct syslog_socket *sock, const char *path)
{
	*sock = (struct syslog_socket){ path, -1 };
}

void syslog_socket_close(struct syslog_socket *sock)
{
	if (sock->fd >= 0)
		close(sock->fd);
	sock->fd = -1;
}

static bool is_connected(struct syslog_socket *sock)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (sock->fd >= 0)
		return true;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", sock->path);
	sock->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock->fd >= 0 &&
	    connect(sock->fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return true;
	syslog_socket_close(sock);
	return false;
}

/* False with errno; EAGAIN when syslogd did not read earlier lines in time. */
static bool send_line(int fd, const char *line, size_t len, int wait_ms)
{
	struct pollfd room = { fd, POLLOUT, 0 };

	if (send(fd, line, len, MSG_NOSIGNAL) >= 0)
		return true;
	return errno == EAGAIN && wait_ms > 0 && poll(&room, 1, wait_ms) > 0 &&
	       send(fd, line, len, MSG_NOSIGNAL) >= 0;
}

/* A line of RFC 3164 as syslog(3) sends it: without the host's name. */
static char *make_line(int priority, const char *word, const char *text)
{
	time_t now = time(NULL);
	struct tm tm;
	char stamp[32] = "";

	if (localtime_r(&now, &tm) != NULL)
		strftime(stamp, sizeof(stamp), "%b %e %T", &tm);
	return xasprintf("<%d>%s mumd[%d]: %s%s", LOG_MAIL | priority, stamp, (int)getpid(),
			 word, text);
}

bool syslog_socket_put(struct syslog_socket *sock, int priority, const char *word,
		       const char *text, int wait_ms)
{
	char *line = make_line(priority, word, text);
	bool again = sock->fd >= 0, ok;

	ok = is_connected(sock) && send_line(sock->fd, line, strlen(line), wait_ms);
	if (!ok && again && errno != EAGAIN) {
		/* syslogd may have been restarted. */
		syslog_socket_close(sock);
		ok = is_connected(sock) && send_line(sock->fd, line, strlen(line), wait_ms);
	}
	free(line);
	return ok;
}
