/* SPDX-License-Identifier: MIT */
/* What trouble with a database means for us, whichever database it is. */
#ifndef MUM_ERROR_CLASS_H
#define MUM_ERROR_CLASS_H

enum error_class {
	ERROR_RETRY,		/* the statement failed, another try may succeed */
	ERROR_SLOW,		/* the same, and the server gave up on it: a lock, or load */
	ERROR_LOST,		/* the connection is of no use */
	ERROR_OUTSIDE,		/* nor is its server: outside its cluster, or going down */
	ERROR_CROWDED,		/* the server has no room for one more connection */
	ERROR_MISCONFIGURED,	/* schema, grants or settings; trying again is no help */
	ERROR_CLASSES
};

#endif
