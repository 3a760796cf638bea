/* SPDX-License-Identifier: MIT */
/* The log lines about questions, which are the same whichever store writes them. */
#ifndef MUM_STORE_LOG_H
#define MUM_STORE_LOG_H

#include <stdbool.h>

#include "common/host.h"
#include "common/store-queue.h"

struct store_log {
	const struct mum_host *host;
	bool broken[MUM_QUESTIONS];	/* logged as getting no answer */
};

/* Logs why a row of the request is of no use, if there is one. */
void store_log_bad_row(const struct store_log *log, const struct store_request *request);

/* Logs once that a kind of question gets no answer, until it is answered again. */
void store_log_broken(struct store_log *log, enum mum_log_level level,
		      enum question_kind kind, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Call this when it was answered. Logs a line if it was broken before. */
void store_log_answered(struct store_log *log, enum question_kind kind);

#endif
