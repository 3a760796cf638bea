/* SPDX-License-Identifier: MIT */
/* Netstrings, <length>:<bytes>, as socketmap_table(5) uses them. Pure. */
#ifndef MUM_NETSTRING_H
#define MUM_NETSTRING_H

#include <stddef.h>

enum parse_result {
	PARSE_MORE,	/* call again with the same bytes and more */
	PARSE_DONE,
	PARSE_BAD	/* no further byte can help */
};

struct netstring {
	const char *data;	/* a view into the bytes parsed */
	size_t len;
	size_t wire_len;	/* how many bytes it took in all */
};

/*
 * *out is set with PARSE_DONE only. A length over max_len is bad before the data has come.
 */
enum parse_result netstring_parse(const char *bytes, size_t len, size_t max_len,
				  struct netstring *out);

#endif
