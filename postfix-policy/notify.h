/* SPDX-License-Identifier: MIT */
/*
 * What mumd tells a service manager: sd_notify(3) and sd_watchdog_enabled(3), which
 * document the protocol, without their library.
 */
#ifndef MUM_NOTIFY_H
#define MUM_NOTIFY_H

/* Lines such as "READY=1". Nothing happens where no manager listens; never blocks. */
void notify_send(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, with the time that RELOADING=1 wants. */
void notify_reloading(void);

/* How often to say "WATCHDOG=1", in ms: half of the manager's patience. 0: never. */
unsigned notify_watchdog_ms(void);

#endif
