/* SPDX-License-Identifier: MIT */
#include "postfix-policy/host-libevent.h"

#include <paths.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common/threads.h"
#include "common/xalloc.h"

enum { SYSLOG_WAIT = 10 };	/* ms; syslogd's queue may hold only ten lines */

struct mum_watch {
	struct event *event;
	mum_watch_fn *fn;
	void *arg;
};

struct mum_timer {
	struct event *event;
	mum_timer_fn *fn;
	void *arg;
};

static void on_watch(evutil_socket_t fd, short what, void *arg)
{
	struct mum_watch *watch = arg;
	unsigned events = ((what & EV_READ) != 0 ? MUM_READ : 0U) |
			  ((what & EV_WRITE) != 0 ? MUM_WRITE : 0U);

	(void)fd;
	watch->fn(events, watch->arg);
}

static struct event *checked(struct event *event)
{
	if (event == NULL)
		abort();	/* not for lack of memory: libevent allocates by xalloc.h */
	return event;
}

static struct mum_watch *host_watch(void *ctx, int fd, unsigned events,
				    mum_watch_fn *fn, void *arg)
{
	struct host_libevent *host = ctx;
	struct mum_watch *watch = xmalloc(sizeof(*watch));
	short what = (short)(EV_PERSIST | ((events & MUM_READ) != 0 ? EV_READ : 0) |
			     ((events & MUM_WRITE) != 0 ? EV_WRITE : 0));

	*watch = (struct mum_watch){ NULL, fn, arg };
	watch->event = checked(event_new(host->base, fd, what, on_watch, watch));
	event_add(watch->event, NULL);
	return watch;
}

static void host_unwatch_fd(void *ctx, struct mum_watch *watch)
{
	(void)ctx;
	event_free(watch->event);
	free(watch);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct mum_timer *timer = arg;
	mum_timer_fn *fn = timer->fn;
	void *fn_arg = timer->arg;

	(void)fd;
	(void)what;
	event_free(timer->event);
	free(timer);
	fn(fn_arg);
}

static struct mum_timer *host_timer(void *ctx, unsigned ms, mum_timer_fn *fn, void *arg)
{
	struct host_libevent *host = ctx;
	struct mum_timer *timer = xmalloc(sizeof(*timer));
	struct timeval in = { ms / 1000, ms % 1000 * 1000 };

	*timer = (struct mum_timer){ NULL, fn, arg };
	timer->event = checked(evtimer_new(host->base, on_timer, timer));
	evtimer_add(timer->event, &in);
	return timer;
}

static void host_untimer_one(void *ctx, struct mum_timer *timer)
{
	(void)ctx;
	event_free(timer->event);
	free(timer);
}

static uint64_t host_clock_us(void *ctx)
{
	struct timespec now;

	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint64_t host_clock_ms(void *ctx)
{
	return host_clock_us(ctx) / 1000;
}

static time_t host_wall(void *ctx)
{
	(void)ctx;
	return time(NULL);
}

/* If a pipe or socket has any room, it has room for one line. */
static bool has_room(void)
{
	struct pollfd log = { STDERR_FILENO, POLLOUT, 0 };

	return poll(&log, 1, 0) != 0;
}

/* The journal knows the writer, but needs the priority: sd-daemon(3). */
static bool put_stderr(const struct host_libevent *host, int priority, const char *word,
		       const char *text)
{
	if (!has_room())
		return false;
	if (host->is_journal)
		fprintf(stderr, "<%d>%s%s\n", priority, word, text);
	else
		fprintf(stderr, "mumd[%d]: %s%s\n", (int)getpid(), word, text);
	return true;
}

/* False when the line is lost, because mail does not wait for a reader of the log. */
static bool put_line(struct host_libevent *host, int priority, const char *word,
		     const char *text)
{
	if (host->to_stderr)
		return put_stderr(host, priority, word, text);
	/* If syslogd did not read the last line, do not wait again. */
	return syslog_socket_put(&host->syslog, priority, word, text,
				 host->lost == 0 ? SYSLOG_WAIT : 0);
}

/* Says how many lines are missing here, if there is room again. */
static void tell_lost(struct host_libevent *host)
{
	char gap[64];

	snprintf(gap, sizeof(gap), "%u lines are lost here: nobody read them", host->lost);
	if (put_line(host, LOG_WARNING, "warning: ", gap))
		host->lost = 0;
}

static void host_log_line(void *ctx, enum mum_log_level level, const char *text)
{
	/* Postfix's words (postlog(1)); an info line has no word. */
	static const struct {
		int priority;
		const char *word;
	} levels[] = {
		[MUM_LOG_DEBUG] = { LOG_DEBUG, "debug: " },
		[MUM_LOG_INFO] = { LOG_INFO, "" },
		[MUM_LOG_WARNING] = { LOG_WARNING, "warning: " },
		[MUM_LOG_ERROR] = { LOG_ERR, "error: " },
	};
	struct host_libevent *host = ctx;

	if (host->lost > 0)
		tell_lost(host);
	if (!put_line(host, levels[level].priority, levels[level].word, text))
		host->lost++;
}

static const struct mum_host_ops libevent_ops = {
	.watch = host_watch,
	.unwatch = host_unwatch_fd,
	.timer = host_timer,
	.untimer = host_untimer_one,
	.now = host_clock_ms,
	.now_us = host_clock_us,
	.wall = host_wall,
	.log = host_log_line,
};

/* systemd.exec(5): device and inode of the journal's socket. */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat status;

	return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(fd, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

void host_libevent_init(struct host_libevent *host, struct event_base *base,
			bool to_stderr)
{
	static struct threads threads;

	host->host = (struct mum_host){ &libevent_ops, host, &threads };
	host->base = base;
	host->to_stderr = to_stderr;
	host->lost = 0;
	host->is_journal = to_stderr && is_journal(STDERR_FILENO);
	syslog_socket_init(&host->syslog, _PATH_LOG);
}

void host_libevent_clear(struct host_libevent *host)
{
	syslog_socket_close(&host->syslog);
}
