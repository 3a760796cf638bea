/* SPDX-License-Identifier: MIT */
/* What mumd lends to the core (common/host.h): libevent's loop, and a log. */
#ifndef MUM_HOST_LIBEVENT_H
#define MUM_HOST_LIBEVENT_H

#include <event2/event.h>
#include <stdbool.h>

#include "common/host.h"
#include "postfix-policy/syslog-socket.h"

struct host_libevent {
	struct mum_host host;
	struct event_base *base;	/* borrowed */
	unsigned lost;			/* lines that the log did not take */
	bool to_stderr;			/* else to syslogd */
	bool is_journal;		/* standard error goes to systemd's journal */
	struct syslog_socket syslog;
};

/* host is the caller's memory. */
void host_libevent_init(struct host_libevent *host, struct event_base *base,
			bool to_stderr);
void host_libevent_clear(struct host_libevent *host);

#endif
