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

/* A row in MUM that no server may be handed, if the request has one. */
void store_log_bad_row(const struct store_log *log, const struct store_request *request);

/* A kind of question gets no answer: one line, until it is answered again. */
void store_log_broken(struct store_log *log, enum mum_log_level level,
		      enum question_kind kind, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* It was answered. One line, if it was broken before. */
void store_log_answered(struct store_log *log, enum question_kind kind);

#endif
