/* SPDX-License-Identifier: MIT */
/*
 * Writes lines for syslogd, facility mail, as syslog(3) does, but does not block while
 * syslogd reads nothing.
 */
#ifndef MUM_SYSLOG_SOCKET_H
#define MUM_SYSLOG_SOCKET_H

#include <stdbool.h>

struct syslog_socket {
	const char *path;	/* such as /dev/log; borrowed */
	int fd;			/* -1: not connected */
};

/* Opens nothing yet. */
void syslog_socket_init(struct syslog_socket *sock, const char *path);
void syslog_socket_close(struct syslog_socket *sock);
/*
 * Writes one line, word and text, with this priority (LOG_ERR and the like). False: the
 * line is lost, because there is no syslogd, or because it has read nothing for wait_ms.
 */
bool syslog_socket_put(struct syslog_socket *sock, int priority, const char *word,
		       const char *text, int wait_ms);

#endif
