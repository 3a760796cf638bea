/* SPDX-License-Identifier: MIT */
/* Requests of socketmap clients: netstring.c and socketmap.c. */
#include "postfix-policy/protocol/socketmap.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

/* The views lie inside the request's bytes. */
static void check_views(const struct socketmap_request *request, const char *bytes,
			size_t wire_len)
{
	HOLDS(request->name > bytes && request->name + request->name_len <= bytes + wire_len);
	HOLDS(request->key > request->name &&
	      request->key + request->key_len == bytes + wire_len - 1);
	HOLDS(request->name[request->name_len] == ' ');
	HOLDS(memchr(request->name, ' ', request->name_len) == NULL);
	HOLDS(request->key_len < SOCKETMAP_REQUEST_MAX);
	if (request->map != NULL)
		HOLDS(strlen(socketmap_name(request->map)) == request->name_len &&
		      memcmp(socketmap_name(request->map), request->name,
			     request->name_len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct socketmap_request request, again;
	size_t wire_len = 0, again_len = 0;
	char *exact;

	if (socketmap_parse(bytes, size, &request, &wire_len) != PARSE_DONE)
		return 0;
	fuzz_reached();
	HOLDS(wire_len > 0 && wire_len <= size);
	check_views(&request, bytes, wire_len);
	/* Its own bytes are enough, any fewer are not. */
	exact = malloc(wire_len);
	memcpy(exact, bytes, wire_len);
	HOLDS(socketmap_parse(exact, wire_len, &again, &again_len) == PARSE_DONE);
	HOLDS(again_len == wire_len && again.map == request.map);
	for (size_t cut = 0; cut < wire_len && cut < 64; cut++)
		HOLDS(socketmap_parse(exact, cut, &again, &again_len) == PARSE_MORE);
	HOLDS(socketmap_parse(exact, wire_len - 1, &again, &again_len) == PARSE_MORE);
	free(exact);
	return 0;
}
