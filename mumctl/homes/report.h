/* SPDX-License-Identifier: MIT */
/* What mumctl homes has found: as JSON, and as text made of that. */
#ifndef MUM_HOMES_REPORT_H
#define MUM_HOMES_REPORT_H

#include "mumctl/homes/disk.h"
#include "mumctl/tool.h"

/* sizes: orphans_measure() was called. The caller owns the result. */
json_t *homes_report(const struct home_rows *rows, const struct home_names *names,
		     const struct orphans *orphans, bool sizes);
/* now: of tool_now(). */
void homes_print(const json_t *report, const char *now);
/* Is anything wrong, besides mailboxes that have no home yet? */
bool homes_report_is_grave(const json_t *report);

#endif
