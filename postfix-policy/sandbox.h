/* SPDX-License-Identifier: MIT */
/*
 * When mumd has started, it gives up all rights that its configuration does not need: it can
 * read in a few folders, change files in fewer, and start no program. It cannot take these
 * rights back. This works without systemd (landlock(7)) and does not concern connections. The
 * rules are about folders, not files, because an editor replaces a file with a new one.
 */
#ifndef MUM_SANDBOX_H
#define MUM_SANDBOX_H

#include <stdbool.h>

#include "common/config.h"
#include "common/host.h"

struct sandbox;

/*
 * Locks the process in. Call it when root is gone, with no_new_privs set
 * (privileges_forgo()), and before the first thread. One line of the log says what came of
 * it. NULL when the process is not locked in: process.sandbox is false, or landlock fails.
 * The arguments are not kept; the caller frees the result.
 */
struct sandbox *sandbox_enter(const struct mum_host *host, const char *config_path,
			      const struct mum_config *config);
void sandbox_free(struct sandbox **sandbox);	/* sets NULL; NULL is fine */

/*
 * Can the process reach what this configuration names? False sets *error_r, which the
 * caller frees. With NULL for the sandbox everything can be reached.
 */
bool sandbox_covers(const struct sandbox *sandbox, const char *config_path,
		    const struct mum_config *config, char **error_r);

#endif
