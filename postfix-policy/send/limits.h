/* SPDX-License-Identifier: MIT */
/*
 * What mum-policy(5) lets each login send: a limit of its own, that of everybody, or none
 * at all. Pure; never changes once it is made.
 */
#ifndef MUM_SEND_LIMITS_H
#define MUM_SEND_LIMITS_H

#include <stddef.h>

#include "common/config.h"
#include "postfix-policy/send/gcra.h"

enum { SEND_LOGIN_SIZE = 1024 };	/* bytes, with the NUL; the widest login of MUM's fits */

struct send_limits;

/* Copies what it needs. */
struct send_limits *send_limits_new(const struct mum_config *config);
void send_limits_free(struct send_limits **limits);	/* sets NULL; NULL is fine */

/*
 * The name that a login counts under, the same for all spellings of the login. The login may
 * hold any bytes; the name is not empty, text_is_clean(), and shorter than SEND_LOGIN_SIZE.
 * Caller frees.
 */
char *send_login(const char *text, size_t len);

/* The limit of a name of send_login(). NULL: none. Lives as long as limits. */
const struct gcra *send_limits_find(const struct send_limits *limits, const char *login);

#endif
