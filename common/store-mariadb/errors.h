/* SPDX-License-Identifier: MIT */
/* What an error of MariaDB or MySQL means for us. Error numbers stop here. */
#ifndef MUM_STORE_MARIADB_ERRORS_H
#define MUM_STORE_MARIADB_ERRORS_H

enum error_class {
	ERROR_RETRY,		/* the statement failed, another try may succeed */
	ERROR_SLOW,		/* the same, and the server gave up on it: a lock, or load */
	ERROR_LOST,		/* the connection is of no use */
	ERROR_OUTSIDE,		/* nor is its server: outside its cluster, or going down */
	ERROR_CROWDED,		/* the server has no room for one more connection */
	ERROR_MISCONFIGURED	/* schema, grants or settings; trying again is no help */
};

/* Unknown numbers are ERROR_RETRY: trouble, never an answer. */
enum error_class error_classify(unsigned number);

#endif
