/* SPDX-License-Identifier: MIT */
/* What an error of MariaDB or MySQL means for us. Error numbers stop here. */
#ifndef MUM_STORE_MARIADB_ERRORS_H
#define MUM_STORE_MARIADB_ERRORS_H

#include <stdbool.h>

#include "common/error-class.h"

/* Of libmariadb: the account logs in by a plugin that "verify-ca" does not allow. */
enum { ERROR_PLUGIN = 5010 };

/* Numbers of our own, which neither servers nor libmariadb use. */
enum {
	ERROR_SESSION = 2998,		/* the session would change answers (session.h) */
	ERROR_TRANSACTION = 2999	/* the connection is in a transaction */
};

/*
 * connected: of a statement, on a connection that has been good. Unknown numbers are
 * ERROR_RETRY: trouble, never an answer.
 */
enum error_class error_classify(unsigned number, bool connected);

#endif
