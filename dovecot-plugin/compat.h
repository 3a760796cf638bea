/* SPDX-License-Identifier: MIT */
/* Dovecot's headers, in the order that they need; what differs by version. */
#ifndef MUM_DOVECOT_COMPAT_H
#define MUM_DOVECOT_COMPAT_H

#include "auth-common.h"	/* first: it brings Dovecot's config.h */
#include "auth.h"
#include "auth-cache.h"
#include "auth-client-connection.h"
#include "auth-request.h"
#include "auth-request-handler-private.h"
#include "auth-worker-server.h"
#include "ioloop.h"
#include "module-dir.h"
#include "passdb-blocking.h"
#include "passdb.h"
#include "password-scheme.h"
#include "str.h"
#include "strescape.h"
#include "userdb.h"

/*
 * Cached results hold for one service, because send-only mailboxes have some and not
 * others; and those of a master user not for the user of that name, who has a home.
 */
#define MUM_CACHE_KEY "%u\t%s\t%{login_user}"

#endif
