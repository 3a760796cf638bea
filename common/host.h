/* SPDX-License-Identifier: MIT */
/*
 * What a host program lends to the core: file descriptor watches, one-shot timers, clocks,
 * a log and a list of threads. mumd lends those of libevent, the Dovecot module those of
 * Dovecot's ioloop, and tests a fake. All calls and callbacks happen on one thread.
 */
#ifndef MUM_HOST_H
#define MUM_HOST_H

#include <stdint.h>
#include <time.h>

enum mum_log_level {
	MUM_LOG_DEBUG,
	MUM_LOG_INFO,
	MUM_LOG_WARNING,
	MUM_LOG_ERROR
};

/* What a watch waits for, and what it found. An error counts as readable. */
enum {
	MUM_READ = 1,
	MUM_WRITE = 2
};

struct mum_watch;	/* owned by the host until unwatch() */
struct mum_timer;	/* owned by the host until it fires or untimer() */

typedef void mum_watch_fn(unsigned events, void *arg);
typedef void mum_timer_fn(void *arg);

struct mum_host_ops {
	/*
	 * fn runs from the loop each time fd is ready (level-triggered) until
	 * unwatch(), which must come before fd is closed. One watch per fd.
	 */
	struct mum_watch *(*watch)(void *ctx, int fd, unsigned events,
				   mum_watch_fn *fn, void *arg);
	void (*unwatch)(void *ctx, struct mum_watch *watch);
	/*
	 * fn runs once, ms milliseconds from now, from the loop and never from inside
	 * this call. The timer is gone when fn is called.
	 */
	struct mum_timer *(*timer)(void *ctx, unsigned ms, mum_timer_fn *fn,
				   void *arg);
	void (*untimer)(void *ctx, struct mum_timer *timer);
	uint64_t (*now)(void *ctx);	/* monotonic milliseconds */
	uint64_t (*now_us)(void *ctx);	/* microseconds; NULL: the host has no finer clock */
	time_t (*wall)(void *ctx);	/* seconds since the epoch */
	/* text is one line without a newline, already free of secrets. */
	void (*log)(void *ctx, enum mum_log_level level, const char *text);
};

struct threads;

struct mum_host {
	const struct mum_host_ops *ops;
	void *ctx;	/* handed to each call */
	struct threads *threads;	/* lives as long as the process (threads.h) */
};

void host_log(const struct mum_host *host, enum mum_log_level level,
	      const char *format, ...) __attribute__((format(printf, 3, 4)));
uint64_t host_now(const struct mum_host *host);
/* To measure how long something took; see now_us. */
uint64_t host_now_us(const struct mum_host *host);
/* Both set the handle to NULL, and NULL inside is fine. */
void host_unwatch(const struct mum_host *host, struct mum_watch **watch);
void host_untimer(const struct mum_host *host, struct mum_timer **timer);

#endif
