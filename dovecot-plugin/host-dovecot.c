/* SPDX-License-Identifier: MIT */
#include "dovecot-plugin/dovecot.h"

#include "dovecot-plugin/host-dovecot.h"

#include <poll.h>
#include <time.h>

#include "common/threads.h"

/* Dovecot's io does not say whether it can read or write, so we have one for each. */
struct mum_watch {
	int fd;
	struct io *read, *write;
	mum_watch_fn *fn;
	void *arg;
};

struct mum_timer {
	struct timeout *to;
	mum_timer_fn *fn;
	void *arg;
};

/*
 * Dovecot's loop first waits, then runs timers, then handles the events that it found,
 * by descriptor. If a timer closes a descriptor and a new watch gets the same number,
 * the new watch would be told the old event. So we ask again.
 */
static bool is_ready(const struct mum_watch *watch, short events)
{
	struct pollfd pollfd = { .fd = watch->fd, .events = events };

	return poll(&pollfd, 1, 0) > 0;
}

static void on_read(struct mum_watch *watch)
{
	if (is_ready(watch, POLLIN))
		watch->fn(MUM_READ, watch->arg);
}

static void on_write(struct mum_watch *watch)
{
	if (is_ready(watch, POLLOUT))
		watch->fn(MUM_WRITE, watch->arg);
}

static struct mum_watch *watch_fd(void *ctx ATTR_UNUSED, int fd, unsigned events,
				  mum_watch_fn *fn, void *arg)
{
	struct mum_watch *watch = i_new(struct mum_watch, 1);

	watch->fd = fd;
	watch->fn = fn;
	watch->arg = arg;
	if ((events & MUM_READ) != 0)
		watch->read = io_add(fd, IO_READ, on_read, watch);
	if ((events & MUM_WRITE) != 0)
		watch->write = io_add(fd, IO_WRITE, on_write, watch);
	return watch;
}

static void unwatch_fd(void *ctx ATTR_UNUSED, struct mum_watch *watch)
{
	io_remove(&watch->read);
	io_remove(&watch->write);
	i_free(watch);
}

static void on_timeout(struct mum_timer *timer)
{
	mum_timer_fn *fn = timer->fn;
	void *arg = timer->arg;

	timeout_remove(&timer->to);
	i_free(timer);
	fn(arg);
}

static struct mum_timer *start_timer(void *ctx ATTR_UNUSED, unsigned ms,
				     mum_timer_fn *fn, void *arg)
{
	struct mum_timer *timer = i_new(struct mum_timer, 1);

	timer->fn = fn;
	timer->arg = arg;
	timer->to = timeout_add_short(ms, on_timeout, timer);
	return timer;
}

static void stop_timer(void *ctx ATTR_UNUSED, struct mum_timer *timer)
{
	timeout_remove(&timer->to);
	i_free(timer);
}

static uint64_t now_ms(void *ctx ATTR_UNUSED)
{
	struct timespec now;

	if (clock_gettime(CLOCK_MONOTONIC, &now) < 0)
		i_fatal("clock_gettime() failed: %m");
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static time_t wall(void *ctx ATTR_UNUSED)
{
	return time(NULL);
}

/* Unlike a request's authdb_event(), auth_event does not put the driver's name in front. */
static void log_line(void *ctx ATTR_UNUSED, enum mum_log_level level, const char *text)
{
	switch (level) {
	case MUM_LOG_DEBUG:
		e_debug(auth_event, "mum: %s", text);
		break;
	case MUM_LOG_INFO:
		e_info(auth_event, "mum: %s", text);
		break;
	case MUM_LOG_WARNING:
		e_warning(auth_event, "mum: %s", text);
		break;
	case MUM_LOG_ERROR:
		e_error(auth_event, "mum: %s", text);
		break;
	}
}

static const struct mum_host_ops dovecot_ops = {
	.watch = watch_fd,
	.unwatch = unwatch_fd,
	.timer = start_timer,
	.untimer = stop_timer,
	.now = now_ms,
	.wall = wall,
	.log = log_line,
};

static struct threads threads;

const struct mum_host host_dovecot = { &dovecot_ops, NULL, &threads };
