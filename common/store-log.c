/* SPDX-License-Identifier: MIT */
#include "common/store-log.h"

#include <stdarg.h>
#include <stdlib.h>

#include "common/log-text.h"
#include "common/xalloc.h"

void store_log_bad_row(const struct store_log *log, const struct store_request *request)
{
	const struct address *address = request->question.address;

	if (request->bad_row == NULL)
		return;
	host_log(log->host, MUM_LOG_ERROR, "database: question=%s key=<%s>: %s; fix it in MUM",
		 mum_question_name(request->question.kind),
		 address != NULL ? LOG_TEXT(address->name) : "", request->bad_row);
}

void store_log_broken(struct store_log *log, enum mum_log_level level,
		      enum question_kind kind, const char *format, ...)
{
	va_list args;
	char *text;

	if (log->broken[kind])
		return;
	log->broken[kind] = true;
	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	host_log(log->host, level, "%s", text);
	free(text);
}

void store_log_answered(struct store_log *log, enum question_kind kind)
{
	if (!log->broken[kind])
		return;
	log->broken[kind] = false;
	host_log(log->host, MUM_LOG_INFO, "database: question=%s: answered again",
		 mum_question_name(kind));
}
