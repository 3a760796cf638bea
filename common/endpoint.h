/* SPDX-License-Identifier: MIT */
/* Where a socket is, as database.hosts and the listen options of mum.conf say it. */
#ifndef MUM_ENDPOINT_H
#define MUM_ENDPOINT_H

#include <stdbool.h>

enum {
	ENDPOINT_HOST_SIZE = 256,	/* a name of DNS, an address with its zone */
	ENDPOINT_PORT_SIZE = 6
};

struct endpoint {
	const char *path;		/* inside the text; NULL: host and port */
	char host[ENDPOINT_HOST_SIZE];	/* a name or an address, without brackets */
	char port[ENDPOINT_PORT_SIZE];	/* digits; "" if none is given */
};

/* Parses an entry of database.hosts: unix:/PATH, HOST, HOST:PORT, [V6] or [V6]:PORT. */
bool endpoint_parse_server(const char *text, struct endpoint *endpoint);
/* Parses an entry of a listen option: unix:/PATH, inet:HOST:PORT or inet:[V6]:PORT. */
bool endpoint_parse_listen(const char *text, struct endpoint *endpoint);

/* A unix socket, or loopback. A name such as 127.example.org is neither. */
bool endpoint_is_local(const struct endpoint *endpoint);

#endif
