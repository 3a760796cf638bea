/* SPDX-License-Identifier: MIT */
/* What the system says of this process, for metrics.h. */
#ifndef MUM_PROCESS_STATS_H
#define MUM_PROCESS_STATS_H

#include "postfix-policy/metrics.h"

/* start_time is left alone. What cannot be learnt is 0. */
void process_stats_read(struct metrics_process *process);

#endif
