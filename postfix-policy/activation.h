/* SPDX-License-Identifier: MIT */
/*
 * Listening sockets that a service manager holds and hands over: the protocol of
 * sd_listen_fds(3). While mumd is not there, clients wait in them.
 */
#ifndef MUM_ACTIVATION_H
#define MUM_ACTIVATION_H

#include <stdbool.h>
#include <stddef.h>

#include "common/config.h"

struct activation {
	size_t count;
	struct inherited {
		int fd;			/* -1: taken */
		char *name;		/* FileDescriptorName=, or the unit's name */
		char *entry;		/* its address, as a listen entry */
	} *sockets;
};

/* What was handed to this process, if anything. False with *error_r. */
bool activation_read(struct activation *activation, char **error_r);
/* Closes what nobody took. */
void activation_free(struct activation *activation);

/*
 * Takes the next socket for a service: one that has its name, or else the address of
 * one of its entries. The caller owns the descriptor; -1: there is none.
 */
int activation_take(struct activation *activation, const char *service,
		    const struct mum_list *entries);
/* A socket that nobody took; NULL: none. */
const struct inherited *activation_left(const struct activation *activation);

#endif
