/* SPDX-License-Identifier: MIT */
/* What the system says about this process, for metrics.h. */
#ifndef MUM_PROCESS_STATS_H
#define MUM_PROCESS_STATS_H

#include "postfix-policy/protocol/metrics.h"

/* Leaves start_time alone. A number that cannot be read is 0. */
void process_stats_read(struct metrics_process *process);

#endif
