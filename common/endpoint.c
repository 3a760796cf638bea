/* SPDX-License-Identifier: MIT */
#include "common/endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* False if it does not fit, or is empty. */
static bool set(char *to, size_t size, const char *text, size_t len)
{
	if (len == 0 || len >= size)
		return false;
	memcpy(to, text, len);
	to[len] = '\0';
	return true;
}

static bool set_port(struct endpoint *endpoint, const char *text)
{
	unsigned long port;

	if (!set(endpoint->port, sizeof(endpoint->port), text, strlen(text)) ||
	    strspn(text, "0123456789") != strlen(text))
		return false;
	port = strtoul(text, NULL, 10);
	return port > 0 && port < 65536;
}

/* An IPv6 address, perhaps with a zone: fe80::1%eth0. */
static bool is_v6(const char *host)
{
	char address[ENDPOINT_HOST_SIZE];
	size_t len = strcspn(host, "%");
	struct in6_addr v6;

	return strcmp(host + len, "%") != 0 && set(address, sizeof(address), host, len) &&
	       inet_pton(AF_INET6, address, &v6) == 1;
}

/* HOST, HOST:PORT, [V6] or [V6]:PORT. */
static bool parse_inet(const char *text, struct endpoint *endpoint)
{
	bool bracket = *text == '[';
	const char *host = bracket ? text + 1 : text;
	size_t len = strcspn(host, bracket ? "]" : ":[]");
	const char *rest = host + len;

	if (!set(endpoint->host, sizeof(endpoint->host), host, len) ||
	    (bracket && (*rest++ != ']' || !is_v6(endpoint->host))))
		return false;
	return *rest == '\0' || (*rest == ':' && set_port(endpoint, rest + 1));
}

static bool is_unix(const char *text)
{
	return strncmp(text, "unix:", 5) == 0;
}

static bool parse_unix(const char *text, struct endpoint *endpoint)
{
	endpoint->path = text + strlen("unix:");
	return *endpoint->path == '/';
}

bool endpoint_parse_server(const char *text, struct endpoint *endpoint)
{
	*endpoint = (struct endpoint){ 0 };
	return is_unix(text) ? parse_unix(text, endpoint) : parse_inet(text, endpoint);
}

bool endpoint_parse_listen(const char *text, struct endpoint *endpoint)
{
	*endpoint = (struct endpoint){ 0 };
	if (is_unix(text))
		return parse_unix(text, endpoint);
	return strncmp(text, "inet:", 5) == 0 && parse_inet(text + 5, endpoint) &&
	       *endpoint->port != '\0';
}

bool endpoint_is_local(const struct endpoint *endpoint)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (endpoint->path != NULL || strcmp(endpoint->host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, endpoint->host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
	return inet_pton(AF_INET6, endpoint->host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}
