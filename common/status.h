/* SPDX-License-Identifier: MIT */
/* The four answers of this project (doc/ARCHITECTURE.md). */
#ifndef MUM_STATUS_H
#define MUM_STATUS_H

enum mum_status {
	MUM_TEMPFAIL = 0,	/* no answer now; zero, so a forgotten status defers mail */
	MUM_FOUND,		/* there is an answer */
	MUM_NOT_FOUND,		/* only after a complete, empty result */
	MUM_MISCONFIGURED	/* no answer until somebody fixes configuration, schema or grants */
};

#endif
