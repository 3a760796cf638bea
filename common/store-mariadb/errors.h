/* SPDX-License-Identifier: MIT */
/* What an error of MariaDB or MySQL means for us, so that few modules need its number. */
#ifndef MUM_STORE_MARIADB_ERRORS_H
#define MUM_STORE_MARIADB_ERRORS_H

#include <stdbool.h>

#include "common/error-class.h"

/*
 * An error of libmariadb: the account logs in by a plugin that "verify-ca" does not allow.
 */
enum { ERROR_PLUGIN = 5010 };

/* Numbers of our own, which neither servers nor libmariadb use. */
enum {
	ERROR_SESSION = 2998,		/* the session would change answers (session.h) */
	ERROR_TRANSACTION = 2999	/* the connection is in a transaction */
};

/*
 * connected: the error is a statement's, on a connection that was good before. Unknown
 * numbers are ERROR_RETRY: they are failures, never answers.
 */
enum error_class error_classify(unsigned number, bool connected);

#endif
