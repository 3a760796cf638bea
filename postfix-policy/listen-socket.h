/* SPDX-License-Identifier: MIT */
/* Sockets to listen on, bound to an entry unix:PATH or inet:HOST:PORT of mum.conf. */
#ifndef MUM_LISTEN_SOCKET_H
#define MUM_LISTEN_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Owner and mode of unix sockets, and of their directory if we make it. */
struct socket_owner {
	uid_t uid;		/* (uid_t)-1: leave as it is */
	gid_t gid;		/* (gid_t)-1: leave as it is */
	mode_t mode;
};

struct listen_socket {
	int fd;			/* -1: none */
	char *path;		/* a socket file that we must remove, else NULL */
};

/* The sockets of one entry: a name may have several addresses. */
struct listen_sockets {
	struct listen_socket *list;	/* the caller takes the sockets, and frees the list */
	size_t count;
	char *left_out;		/* addresses that this machine does not have; or NULL */
};

/*
 * Binds all addresses of the entry, and does not listen yet. Addresses that this
 * machine does not have (IPv6 is off, say) are left out, but one at least must remain.
 * On any other failure it returns false, sets *error_r (caller frees) and leaves no
 * socket. A socket file on which nobody answers is replaced; any other file stays. We
 * need not trust the owner of the directory, only those of the directories above it.
 */
bool listen_sockets_bind(struct listen_sockets *socks, const char *entry,
			 const struct socket_owner *owner, char **error_r);
/* Makes the directory of a path if missing, for its owner and group alone. */
bool listen_socket_make_directory(const char *path, const struct socket_owner *owner);
/* Frees the list and left_out, and closes no socket. */
void listen_sockets_clear(struct listen_sockets *socks);
/* Closes the socket and removes its file. A socket without a descriptor is fine. */
void listen_socket_close(struct listen_socket *sock);

#endif
