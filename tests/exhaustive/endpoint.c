/* SPDX-License-Identifier: MIT */
/* Endpoints. Specification: two regular expressions, a port below 65536, inet_pton(3). */
#include <arpa/inet.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "common/endpoint.h"
#include "tests/exhaustive/exhaustive.h"

/* Host, its IPv6 address and that one's zone, port. */
#define INET "([^]:[]+|\\[([^]%]+)(%[^]]+)?\\])(:([0-9]{1,5}))?$"

static regex_t server, listener;

static void cut(const char *text, const regmatch_t *match, char *to, size_t size)
{
	size_t len = match->rm_so < 0 ? 0 : (size_t)(match->rm_eo - match->rm_so);

	if (len >= size)
		len = size - 1;
	if (len > 0)
		memcpy(to, text + match->rm_so, len);
	to[len] = '\0';
}

static bool specified(const char *text, const regex_t *inet, char host[64], char port[8])
{
	regmatch_t matches[6];
	char address[64];
	struct in6_addr v6;

	*host = *port = '\0';
	if (strncmp(text, "unix:", 5) == 0)
		return text[5] == '/';
	if (regexec(inet, text, 6, matches, 0) != 0)
		return false;
	cut(text, &matches[1], host, 64);
	cut(text, &matches[5], port, 8);
	if (*port != '\0' && (atoi(port) < 1 || atoi(port) > 65535))
		return false;
	if (*host != '[')
		return true;
	cut(text, &matches[2], address, sizeof(address));
	host[strlen(host) - 1] = '\0';
	memmove(host, host + 1, strlen(host));
	return inet_pton(AF_INET6, address, &v6) == 1;
}

static void compare_with(const char *text, size_t len, const regex_t *inet,
			 bool parse(const char *text, struct endpoint *endpoint))
{
	struct endpoint got;
	char host[64], port[8];
	bool want = specified(text, inet, host, port);

	if (parse(text, &got) != want)
		differ(text, len, "%s", want ? "refused" : "accepted");
	else if (want && (strcmp(got.host, host) != 0 || strcmp(got.port, port) != 0))
		differ(text, len, "host \"%s\" and port \"%s\", specified \"%s\" and \"%s\"",
		       got.host, got.port, host, port);
	else if (want && (got.path != NULL) != (strncmp(text, "unix:", 5) == 0))
		differ(text, len, "a path where there is none, or none");
}

static void compare(const char *text, size_t len, void *arg)
{
	(void)arg;
	compare_with(text, len, &server, endpoint_parse_server);
	compare_with(text, len, &listener, endpoint_parse_listen);
}

int main(int argc, char **argv)
{
	static const struct letter letters[] = {
		LETTER("unix:"), LETTER("inet:"), LETTER(":"), LETTER("/"), LETTER("["),
		LETTER("]"), LETTER("a"), LETTER("0"), LETTER("1"), LETTER("65535"),
		LETTER("65536"), LETTER("%"), LETTER("::"),
	};

	if (regcomp(&server, "^" INET, REG_EXTENDED) != 0 ||
	    regcomp(&listener, "^inet:([^]:[]+|\\[([^]%]+)(%[^]]+)?\\])(:([0-9]{1,5}))$",
		    REG_EXTENDED) != 0)
		abort();
	each_string(LETTERS(letters), letters_max(argc, argv, 5, 6), compare, NULL);
	regfree(&server);
	regfree(&listener);
	return exhaustive_end("endpoint");
}
