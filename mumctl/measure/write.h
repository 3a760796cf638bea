/* SPDX-License-Identifier: MIT */
/* Rows of MUM's size_measurements, as its own size-measurements:report writes them. */
#ifndef MUM_MEASURE_WRITE_H
#define MUM_MEASURE_WRITE_H

#include "mumctl/measure/set.h"

/*
 * Writes all rows of the set or none, a thousand in a statement, as the user of role
 * measure. now: of tool_now(). False sets the error.
 */
bool measure_write(const struct measure_set *set, const struct mum_config *config,
		   const char *now, struct inspect_error *error_r);

#endif
