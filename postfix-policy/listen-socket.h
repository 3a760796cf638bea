/* SPDX-License-Identifier: MIT */
/* Sockets to listen on: bound to an entry unix:PATH or inet:HOST:PORT of mum.conf. */
#ifndef MUM_LISTEN_SOCKET_H
#define MUM_LISTEN_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
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

/* Of one entry: a name may have several addresses. */
struct listen_sockets {
	struct listen_socket *list;	/* the caller takes the sockets, and frees the list */
	size_t count;
	char *left_out;		/* addresses that this machine does not have; or NULL */
};

/*
 * Binds all addresses of the entry, and does not listen yet. An address that this machine
 * does not have (IPv6 is off, say) is left out, unless it is the only one; any other
 * failure ends in false with *error_r (caller frees) and no socket. A stream socket of a
 * file that nobody answers on is replaced, anything else stays. The directory may belong
 * to somebody whom we do not trust; those above it may not.
 */
bool listen_sockets_bind(struct listen_sockets *socks, const char *entry,
			 const struct socket_owner *owner, char **error_r);
/* Frees the list and left_out, and closes no socket. */
void listen_sockets_clear(struct listen_sockets *socks);
/* Closes it and removes its file. One without a descriptor is fine. */
void listen_socket_close(struct listen_socket *sock);

#endif
