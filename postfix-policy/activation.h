/* SPDX-License-Identifier: MIT */
/*
 * Listening sockets that a service manager holds and hands over, by the protocol of
 * sd_listen_fds(3). While mumd does not run, clients wait in them.
 */
#ifndef MUM_ACTIVATION_H
#define MUM_ACTIVATION_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config.h"

struct activation {
	size_t count;
	struct inherited {
		int fd;			/* -1: somebody took it */
		char *name;		/* FileDescriptorName=, or the unit's name */
		char *entry;		/* its address, as a listen entry */
	} *sockets;
};

/* Finds the sockets that were handed to this process, if any. False sets *error_r. */
bool activation_read(struct activation *activation, char **error_r);
/* Closes what nobody took. */
void activation_free(struct activation *activation);

/*
 * Takes the next socket for a service: one with the service's name, else one with the
 * address of one of its entries. The caller owns the descriptor; -1: there is none.
 */
int activation_take(struct activation *activation, const char *service,
		    const struct mum_list *entries);
/* A socket that nobody took; NULL: none. */
const struct inherited *activation_left(const struct activation *activation);

#endif
