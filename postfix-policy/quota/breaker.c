/* SPDX-License-Identifier: MIT */
#include "postfix-policy/quota/breaker.h"

#include "common/log-text.h"

enum { PROBE_EVERY = 1000 };	/* ms */

static void on_timer(void *arg)
{
	struct quota_breaker *breaker = arg;
	const struct mum_host *host = breaker->host;

	breaker->timer = host->ops->timer(host->ctx, PROBE_EVERY, on_timer, breaker);
	breaker->probe(breaker->arg);
}

void quota_breaker_open(struct quota_breaker *breaker, const char *path, const char *why)
{
	const struct mum_host *host = breaker->host;

	if (breaker->down)
		return;
	host_log(host, MUM_LOG_WARNING, "quota: unix:%s: %s; mail is accepted without asking",
		 path, LOG_TEXT(why));
	breaker->down = true;
	breaker->since = host_now(host);
	breaker->timer = host->ops->timer(host->ctx, PROBE_EVERY, on_timer, breaker);
}

void quota_breaker_close(struct quota_breaker *breaker, const char *path)
{
	if (!breaker->down)
		return;
	host_log(breaker->host, MUM_LOG_INFO, "quota: unix:%s: answers again after %.1f s", path,
		 (double)(host_now(breaker->host) - breaker->since) / 1000);
	quota_breaker_reset(breaker);
}

void quota_breaker_reset(struct quota_breaker *breaker)
{
	host_untimer(breaker->host, &breaker->timer);
	breaker->down = false;
}
