/* SPDX-License-Identifier: MIT */
#include "tests/fakes/fake-host.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/xalloc.h"

struct mum_timer {
	uint64_t due_ms;
	mum_timer_fn *fn;
	void *arg;
	struct mum_timer *prev, *next;
};

struct mum_watch {
	int fd;
	unsigned events;
	mum_watch_fn *fn;
	void *arg;
	struct mum_watch *prev, *next;
};

/* ---- what it lends ---- */

static struct mum_watch *find_watch(struct fake_host *fake, int fd)
{
	struct mum_watch *watch;

	DL_FOREACH(fake->watches, watch) {
		if (watch->fd == fd)
			return watch;
	}
	return NULL;
}

static struct mum_watch *fake_watch(void *ctx, int fd, unsigned events,
				    mum_watch_fn *fn, void *arg)
{
	struct fake_host *fake = ctx;
	struct mum_watch *watch = xcalloc(1, sizeof(*watch));

	if (find_watch(fake, fd) != NULL)
		abort();	/* host.h: at most one watch an fd */
	*watch = (struct mum_watch){ .fd = fd, .events = events, .fn = fn, .arg = arg };
	DL_APPEND(fake->watches, watch);
	return watch;
}

static void fake_unwatch(void *ctx, struct mum_watch *watch)
{
	struct fake_host *fake = ctx;

	DL_DELETE(fake->watches, watch);
	free(watch);
}

static struct mum_timer *fake_timer(void *ctx, unsigned ms, mum_timer_fn *fn, void *arg)
{
	struct fake_host *fake = ctx;
	struct mum_timer *timer = xcalloc(1, sizeof(*timer)), *later;

	timer->due_ms = fake->now_ms + ms;
	timer->fn = fn;
	timer->arg = arg;
	DL_FOREACH(fake->timers, later) {
		if (later->due_ms > timer->due_ms)
			break;
	}
	DL_PREPEND_ELEM(fake->timers, later, timer);	/* appends when later is NULL */
	return timer;
}

static void fake_untimer(void *ctx, struct mum_timer *timer)
{
	struct fake_host *fake = ctx;

	DL_DELETE(fake->timers, timer);
	free(timer);
}

static uint64_t fake_now(void *ctx)
{
	return ((struct fake_host *)ctx)->now_ms;
}

static time_t fake_wall(void *ctx)
{
	return ((struct fake_host *)ctx)->wall;
}

static void fake_log(void *ctx, enum mum_log_level level, const char *text)
{
	struct fake_host *fake = ctx;

	if (fake->log_count == FAKE_HOST_LOG_MAX)
		abort();
	fake->log[fake->log_count].level = level;
	fake->log[fake->log_count].text = xstrdup(text);
	fake->log_count++;
}

static const struct mum_host_ops ops = {
	.watch = fake_watch,
	.unwatch = fake_unwatch,
	.timer = fake_timer,
	.untimer = fake_untimer,
	.now = fake_now,
	.wall = fake_wall,
	.log = fake_log,
};

/* ---- the test's side ---- */

void fake_host_init(struct fake_host *fake)
{
	memset(fake, 0, sizeof(*fake));
	fake->host = (struct mum_host){ &ops, fake, &fake->threads };
	fake->now_ms = 1000000;
	fake->wall = 1767225600;
}

void fake_host_free(struct fake_host *fake)
{
	while (fake->timers != NULL)
		fake_untimer(fake, fake->timers);
	while (fake->watches != NULL)
		fake_unwatch(fake, fake->watches);
	fake_host_clear_log(fake);
}

/* The timer is gone before its function runs, as host.h promises. */
static void fire_first(struct fake_host *fake)
{
	struct mum_timer *timer = fake->timers;
	mum_timer_fn *fn = timer->fn;
	void *arg = timer->arg;

	fake_untimer(fake, timer);
	fn(arg);
}

/* Marks the end of those that are due now; what comes later goes behind it. */
static void nothing(void *arg)
{
	*(bool *)arg = true;
}

size_t fake_host_turn(struct fake_host *fake)
{
	bool reached = false;
	size_t fired = 0;

	fake_timer(fake, 0, nothing, &reached);
	while (!reached) {
		fire_first(fake);
		fired++;
	}
	return fired - 1;
}

size_t fake_host_settle(struct fake_host *fake, size_t turns)
{
	size_t fired = 0, now;

	while (turns-- > 0 && (now = fake_host_turn(fake)) > 0)
		fired += now;
	return fired;
}

void fake_host_advance(struct fake_host *fake, uint64_t ms)
{
	uint64_t start = fake->now_ms, end = start + ms;
	time_t wall = fake->wall;

	while (fake->timers != NULL && fake->timers->due_ms <= end) {
		if (fake->timers->due_ms > fake->now_ms)
			fake->now_ms = fake->timers->due_ms;
		fake->wall = wall + (time_t)((fake->now_ms - start) / 1000);
		fire_first(fake);
	}
	fake->now_ms = end;
	fake->wall = wall + (time_t)(ms / 1000);
}

bool fake_host_ready(struct fake_host *fake, int fd, unsigned events)
{
	struct mum_watch *watch = find_watch(fake, fd);

	if (watch == NULL || (watch->events & events) == 0)
		return false;
	watch->fn(watch->events & events, watch->arg);
	return true;
}

int fake_host_watched(const struct fake_host *fake)
{
	return fake->watches != NULL ? fake->watches->fd : -1;
}

size_t fake_host_timers(const struct fake_host *fake)
{
	struct mum_timer *timer;
	size_t count;

	DL_COUNT(fake->timers, timer, count);
	return count;
}

size_t fake_host_watches(const struct fake_host *fake)
{
	struct mum_watch *watch;
	size_t count;

	DL_COUNT(fake->watches, watch, count);
	return count;
}

size_t fake_host_logged(const struct fake_host *fake, enum mum_log_level level,
			const char *text)
{
	size_t count = 0;

	for (size_t i = 0; i < fake->log_count; i++)
		count += fake->log[i].level == level &&
			 strstr(fake->log[i].text, text) != NULL;
	return count;
}

void fake_host_clear_log(struct fake_host *fake)
{
	while (fake->log_count > 0)
		free(fake->log[--fake->log_count].text);
}
