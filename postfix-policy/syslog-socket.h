/* SPDX-License-Identifier: MIT */
/*
 * Lines for syslogd, facility mail, as syslog(3) writes them; but nobody stands still
 * while syslogd reads nothing.
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
 * One line of that priority (LOG_ERR and the like): word and text. False: it is lost,
 * for there is no syslogd, or it has read nothing for wait_ms.
 */
bool syslog_socket_put(struct syslog_socket *sock, int priority, const char *word,
		       const char *text, int wait_ms);

#endif
