/* SPDX-License-Identifier: MIT */
/* What a database error means for us, whichever database it is. */
#ifndef MUM_ERROR_CLASS_H
#define MUM_ERROR_CLASS_H

enum error_class {
	ERROR_RETRY,		/* the statement failed, another try may succeed */
	ERROR_SLOW,		/* the same, because the server ran out of time: a lock, or load */
	ERROR_LOST,		/* the connection is useless */
	ERROR_OUTSIDE,		/* the server is useless: outside its cluster, or going down */
	ERROR_CROWDED,		/* the server has no room for one more connection */
	ERROR_MISCONFIGURED,	/* schema, grants or settings; trying again is no help */
	ERROR_CLASSES
};

#endif
