/* SPDX-License-Identifier: MIT */
/* Sockets to listen on: bound to an entry unix:PATH or inet:HOST:PORT of mum.conf. */
#ifndef MUM_LISTEN_SOCKET_H
#define MUM_LISTEN_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

/* Owner and mode of unix sockets, and of their directory where we make it. */
struct socket_owner {
	uid_t uid;		/* (uid_t)-1: leave as it is */
	gid_t gid;		/* (gid_t)-1: leave as it is */
	mode_t mode;
};

struct listen_socket {
	int fd;			/* -1: none */
	char *path;		/* of a socket file that is ours to remove, else NULL */
};

/*
 * Binds and does not listen yet. A stream socket that nobody answers on is replaced,
 * anything else stays. False with *error_r (caller frees). The directory may belong to
 * somebody whom we do not trust; those above it may not.
 */
bool listen_socket_bind(struct listen_socket *sock, const char *entry,
			const struct socket_owner *owner, char **error_r);
/* Closes it and removes its file. One without a descriptor is fine. */
void listen_socket_close(struct listen_socket *sock);

#endif
