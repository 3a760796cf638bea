/* SPDX-License-Identifier: MIT */
/*
 * What mumd tells a service manager, by the protocol of sd_notify(3) and
 * sd_watchdog_enabled(3), but without their library.
 */
#ifndef MUM_NOTIFY_H
#define MUM_NOTIFY_H

/* Sends lines such as "READY=1". Does nothing if no manager listens; never blocks. */
void notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Sends RELOADING=1 and the time that belongs to it. */
void notify_reloading(void);

/* How often to send "WATCHDOG=1", in ms: half of the manager's timeout. 0: never. */
unsigned notify_watchdog_ms(void);

#endif
