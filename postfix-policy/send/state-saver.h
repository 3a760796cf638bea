/* SPDX-License-Identifier: MIT */
/*
 * Writes a state file in a thread, because a disk may take its time and mail does not
 * wait. Logs when that fails, and when it works again.
 */
#ifndef MUM_STATE_SAVER_H
#define MUM_STATE_SAVER_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/host.h"

struct state_saver;

/* option: its name in mum.conf, for the log; static. The host outlives it. */
struct state_saver *state_saver_new(const struct mum_host *host, const char *option);
/* Waits for what is being written. Sets NULL; NULL is fine. */
void state_saver_free(struct state_saver **saver);

/* Takes over the text and writes it; false, and it stays, if that cannot begin now. */
bool state_saver_start(struct state_saver *saver, const char *path, struct buf *text);
/* Takes over the text; blocks until it is written, or cannot be. */
void state_saver_finish(struct state_saver *saver, const char *path, struct buf *text);
/* Did it work the last time? */
bool state_saver_is_good(const struct state_saver *saver);

#endif
