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
 * Forbids core dumps, because the password is in memory, and new privileges by
 * execve(2). Both are for good. Call this before the configuration is read.
 */
void privileges_forgo(void);

/* As root, finds process.user and socket_group; false sets *error_r. */
bool privileges_find(const struct mum_config *config, struct privileges *privileges,
		     char **error_r);
/*
 * Drops root for good. Does nothing if mumd was not started as root; false sets *error_r.
 */
bool privileges_drop(const struct privileges *privileges, char **error_r);

#endif
