/* SPDX-License-Identifier: MIT */
/*
 * socketmap_table(5): "map key" in; OK, NOTFOUND, TEMP or PERM out. Pure: bytes and
 * answers in, bytes out. For other tables Postfix itself searches without the
 * extension; here address.c does that; see doc/differences.md.
 */
#ifndef MUM_SOCKETMAP_H
#define MUM_SOCKETMAP_H

#include "common/buf.h"
#include "common/facts.h"
#include "postfix-policy/protocol/action.h"
#include "postfix-policy/protocol/netstring.h"

enum {
	/* dict_sockmap.c of Postfix sends keys of up to 10,000 bytes, and a map name. */
	SOCKETMAP_REQUEST_MAX = 10240,
	/* It refuses replies of more than 100,000 bytes, "OK " included. */
	SOCKETMAP_REPLY_MAX = 100000,
	SOCKETMAP_VALUE_MAX = SOCKETMAP_REPLY_MAX - 3
};

/* The tables, by number, named as the files that admins copy from MUM's manual. */
enum socketmap_number {
	SOCKETMAP_DOMAINS,
	SOCKETMAP_MAILBOXES,
	SOCKETMAP_ALIASES,
	SOCKETMAP_SENDERS,	/* sender-login-maps */
	SOCKETMAP_ACCESS,	/* recipient-access */
	SOCKETMAP_TLS,
	SOCKETMAP_MAPS
};

struct socketmap_map;	/* one of the tables; static */

struct socketmap_request {
	const struct socketmap_map *map;	/* NULL: no such map */
	const char *name, *key;			/* views; not NUL-terminated */
	size_t name_len, key_len;
};

/* *out points into the bytes; *wire_len_r says how many were used. */
enum parse_result socketmap_parse(const char *bytes, size_t len,
				  struct socketmap_request *out, size_t *wire_len_r);

/* A map is static, and so is its name. */
const char *socketmap_name(const struct socketmap_map *map);
enum socketmap_number socketmap_number(const struct socketmap_map *map);
const struct socketmap_map *socketmap_by_number(enum socketmap_number number);
/* NULL: no such map. */
const struct socketmap_map *socketmap_by_name(const char *name, size_t len);
/* The kind of question whose answer the map needs. */
enum question_kind socketmap_question(const struct socketmap_map *map);

enum socketmap_result {
	SOCKETMAP_TEMPFAIL,	/* the database gave no answer */
	SOCKETMAP_FOUND,
	SOCKETMAP_NOT_FOUND,
	SOCKETMAP_MISCONFIGURED,	/* the database cannot give one */
	SOCKETMAP_BAD_VALUE,	/* Postfix must not get the value that was found */
	SOCKETMAP_RESULTS
};

/* What the reply was: OK, NOTFOUND, or TEMP in all other cases. */
struct socketmap_outcome {
	enum socketmap_result result;
	/* With SOCKETMAP_FOUND: the value refuses mail. Else REASON_NONE. */
	enum reason reason;
	/* With SOCKETMAP_BAD_VALUE: a stable name, and what to fix; static. */
	const char *fault, *cure;
};

/* Appends the value with SOCKETMAP_FOUND. With another result, do not use what it appended. */
struct socketmap_outcome socketmap_put_value(struct buf *value,
					     const struct socketmap_map *map,
					     const struct mum_answer *answer);
/* Appends the reply without its netstring, for people: "OK value", "NOTFOUND ", "TEMP ...". */
void socketmap_put_text(struct buf *out, enum socketmap_result result,
			const struct buf *value);
/* Both at once: appends the reply, a whole netstring. */
struct socketmap_outcome socketmap_put_answer(struct buf *out,
					      const struct socketmap_map *map,
					      const struct mum_answer *answer);
/* Appends the reply to a request that no map can answer. */
void socketmap_put_perm(struct buf *out, const char *why);

#endif
