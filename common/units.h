/* SPDX-License-Identifier: MIT */
/* Numbers with a unit behind them, as mum.conf(5) has them. */
#ifndef MUM_UNITS_H
#define MUM_UNITS_H

#include <stdbool.h>
#include <stdint.h>

/* Each reads the whole text: digits and a unit. False when it is anything else. */
bool units_parse_number(const char *text, uint64_t *value_r);	/* no unit */
bool units_parse_time(const char *text, uint64_t *ms_r);	/* ms, s, m, h, d */
bool units_parse_size(const char *text, uint64_t *bytes_r);	/* none, K, M, G */

#endif
