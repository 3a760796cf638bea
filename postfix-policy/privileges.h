/* SPDX-License-Identifier: MIT */
/* The user that mumd runs as once its sockets are bound. */
#ifndef MUM_PRIVILEGES_H
#define MUM_PRIVILEGES_H

#include <stdbool.h>

#include "common/config.h"
#include "postfix-policy/listen-socket.h"

struct privileges {
	bool root;			/* started as root: there is something to drop */
	const char *user;
	struct socket_owner owner;	/* for the sockets */
};

/*
 * No core dump, for the password is in memory, and nothing gained by execve(2); for
 * good. Before the configuration is read.
 */
void privileges_forgo(void);

/* Looks up process.user and process.socket_group; false with *error_r. */
bool privileges_find(const struct mum_config *config, struct privileges *privileges,
		     char **error_r);
/* For good. Does nothing unless root; false with *error_r. */
bool privileges_drop(const struct privileges *privileges, char **error_r);

#endif
