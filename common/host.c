/* SPDX-License-Identifier: MIT */
#include "common/host.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/log-text.h"

/*
 * Only hostile data makes longer lines. With what a host puts before it, a line still
 * fits into PIPE_BUF: a pipe takes it whole or not at all.
 */
enum { LOG_LINE_MAX = 4000 };

void host_log(const struct mum_host *host, enum mum_log_level level,
	      const char *format, ...)
{
	char line[LOG_LINE_MAX], escaped[LOG_LINE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	log_escape(escaped, sizeof(escaped), line, "");
	host->ops->log(host->ctx, level, escaped);
}

uint64_t host_now(const struct mum_host *host)
{
	return host->ops->now(host->ctx);
}

uint64_t host_now_us(const struct mum_host *host)
{
	return host->ops->now_us != NULL ? host->ops->now_us(host->ctx)
					 : host_now(host) * 1000;
}

void host_unwatch(const struct mum_host *host, struct mum_watch **watch)
{
	if (*watch != NULL)
		host->ops->unwatch(host->ctx, *watch);
	*watch = NULL;
}

void host_untimer(const struct mum_host *host, struct mum_timer **timer)
{
	if (*timer != NULL)
		host->ops->untimer(host->ctx, *timer);
	*timer = NULL;
}
