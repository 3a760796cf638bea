/* SPDX-License-Identifier: MIT */
#include "common/host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Longer lines than this only come from hostile data; syslog cuts them too. */
#define LOG_LINE_MAX 1024

/* A line is one line: bytes that could forge a second one become '?'. */
static void make_printable(char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte < 0x20 || byte == 0x7f)
			*text = '?';
	}
}

void host_log(const struct mum_host *host, enum mum_log_level level,
	      const char *format, ...)
{
	char line[LOG_LINE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	make_printable(line);
	host->ops->log(host->ctx, level, line);
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
